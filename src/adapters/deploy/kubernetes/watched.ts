/**
 * The Deployments of one namespace, or of the whole cluster, as they are now: listed once, then watched. See
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import { ApiFailure, failureOf } from './failure.ts';
import { parseSeen, parseVersion, parseWatchEnd, type Seen } from './schema.ts';

/** What is known may have changed since. */
export interface Stale {
  /** When it was so, as far as the connection told. */
  readonly since: Date;
  /** Why nothing newer is known, as a clause. */
  readonly text: string;
}

/** `unlisted`: the robot may not list them, or they are too many to be kept; each has to be read by itself. */
export type Sighting =
  | {
      readonly kind: 'seen';
      readonly deployment: (namespace: string, name: string) => Seen | undefined;
      readonly stale?: Stale;
    }
  | { readonly kind: 'unlisted' };

export interface WatchedDeployments {
  /** Begins at the first call. @throws ApiFailure if nothing was ever seen, and the server does not answer */
  look(): Promise<Sighting>;
  /** When it was asked for last, in milliseconds since 1970. */
  usedAt(): number;
  close(): void;
}

export interface WatchedOptions {
  /** More Deployments than this are not kept. */
  readonly most?: number;
  /** Between two tries while the server does not answer, at first and at last, in milliseconds. */
  readonly backoff?: { readonly first: number; readonly last: number };
  /** Without the right to watch, a list that is older is asked for anew. */
  readonly listAgainMs?: number;
}

/** About 20 MB. */
const MOST = 20_000;
const BACKOFF = { first: 500, last: 30_000 };
const LIST_AGAIN_MS = 10_000;
/** What the robot was not allowed, it may be allowed by then. */
const ASK_RIGHTS_AGAIN_MS = 300_000;
/** A watch that ends sooner was of no use. */
const SHORT_MS = 1_000;

export function watchDeployments(
  cluster: Cluster,
  namespace: string | undefined,
  { most = MOST, backoff = BACKOFF, listAgainMs = LIST_AGAIN_MS }: WatchedOptions = {},
): WatchedDeployments {
  const closed = new AbortController();
  const path = `/apis/apps/v1/${namespace === undefined ? '' : `namespaces/${namespace}/`}deployments`;
  let items = new Map<string, Seen>();
  let version = '';
  /** When it was last certain that `items` is how it is; undefined before the first list. */
  let sureAt: number | undefined;
  let failure: ApiFailure | undefined;
  let unlistedAt: number | undefined;
  let isWatching = false;
  let mayWatch = true;
  let first: Promise<unknown> | undefined;
  let listedAt = Date.now();
  let usedAt = Date.now();

  /** Gives why it could not. */
  async function list(): Promise<ApiFailure | undefined> {
    try {
      const found = await cluster.list(namespace, most);
      unlistedAt = found === 'too many' ? Date.now() : undefined;
      if (found === 'too many') return undefined;
      items = new Map(found.items.map((one) => [keyOf(one), one]));
      version = found.version;
      sureAt = Date.now();
      failure = undefined;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.kind === 'forbidden') unlistedAt = Date.now();
      else failure = error;
      return error;
    }
    return undefined;
  }

  function take(type: string, object: unknown): ApiFailure | undefined {
    if (type === 'ERROR') return failureOf(parseWatchEnd(object) ?? new Error('the watch ended'), cluster.name);
    version = parseVersion(object) ?? version;
    sureAt = Date.now();
    const one = type === 'BOOKMARK' ? undefined : parseSeen(object);
    if (one === undefined) return undefined;
    if (type === 'DELETED') items.delete(keyOf(one));
    else if (items.has(keyOf(one)) || items.size < most) items.set(keyOf(one), one);
    else return new ApiFailure('expired', `there are more than ${most} deployments`);
    return undefined;
  }

  /** One watch, to its end; gives why it ended. */
  async function watchOnce(): Promise<ApiFailure | undefined> {
    const ending = new AbortController();
    let why: ApiFailure | undefined;
    // A server ends a watch by itself now and then; told when, not all of them end at once.
    const timeoutSeconds = String(240 + Math.floor(Math.random() * 120));
    const query = { resourceVersion: version, allowWatchBookmarks: 'true', timeoutSeconds };
    const ended = await cluster.watch(
      { path, query },
      {
        opened() {
          isWatching = true;
          failure = undefined;
        },
        event(type, object) {
          why ??= take(type, object);
          if (why !== undefined) ending.abort();
        },
      },
      AbortSignal.any([closed.signal, ending.signal]),
    );
    if (!isWatching) return why ?? ended;
    isWatching = false;
    sureAt = Date.now();
    // Whether the server is away is seen when the watch is begun again.
    return why ?? (ended?.kind === 'gone' ? undefined : ended);
  }

  async function keep(): Promise<void> {
    for (let wait = backoff.first; !closed.signal.aborted && unlistedAt === undefined && mayWatch; ) {
      const begun = Date.now();
      const known = sureAt !== undefined;
      const ended = await (known ? watchOnce() : list());
      if (ended?.kind === 'forbidden') mayWatch = false;
      else if (ended?.kind === 'expired') await list();
      else failure = ended;
      if (ended === undefined && (!known || Date.now() - begun > SHORT_MS)) {
        wait = backoff.first;
        continue;
      }
      const pause = Math.max(wait, Math.min(ended?.retryAfterMs ?? 0, backoff.last));
      wait = Math.min(wait * 2, backoff.last);
      await sleep(pause, undefined, { signal: closed.signal }).catch(() => undefined);
    }
  }

  async function begin(): Promise<void> {
    await list();
    void keep();
  }

  return {
    async look() {
      usedAt = Date.now();
      if (unlistedAt !== undefined && usedAt - unlistedAt > ASK_RIGHTS_AGAIN_MS) {
        unlistedAt = undefined;
        first = undefined;
      }
      if (!mayWatch && usedAt - listedAt > listAgainMs) {
        listedAt = usedAt;
        first = list();
      }
      first ??= begin();
      await first;
      if (unlistedAt !== undefined) return { kind: 'unlisted' };
      if (sureAt === undefined) throw failure ?? new ApiFailure('gone', `${cluster.name} does not answer`);
      const deployment = (where: string, name: string) => items.get(`${where}/${name}`);
      if (failure === undefined || isWatching) return { kind: 'seen', deployment };
      return { kind: 'seen', deployment, stale: { since: new Date(sureAt), text: failure.message } };
    },
    usedAt: () => usedAt,
    close: () => closed.abort(),
  };
}

function keyOf({ metadata }: Seen): string {
  return `${metadata.namespace}/${metadata.name}`;
}
