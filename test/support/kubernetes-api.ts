/**
 * Plays an API server for faults that a real one cannot be made to show: it keeps Deployments, counts resource versions, lists in
 * pages, watches, refuses a patch that was made for another version, and has each rollout done at once. What it is asked beyond
 * that is answered with 404 and reported by `stop`, and so is a fault that nothing ran into. See
 * https://kubernetes.io/docs/reference/using-api/api-concepts/ and
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

/** An error as the API answers it; `cut` breaks the connection without an answer, `lost` after the patch was done. */
export type Fault =
  | 'cut'
  | 'lost'
  | {
      readonly code: number;
      readonly reason: string;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

type Kind = 'get' | 'list' | 'watch' | 'patch' | 'pods' | 'events';

export interface FakeKubernetes {
  readonly kubeconfig: string;
  /** What it was asked, in order: `list web`, `watch *` for the whole cluster. */
  readonly calls: readonly string[];
  /** Sets the image of a Deployment as if somebody had done so by hand; makes it if there is none. */
  set(namespace: string, name: string, image: string): void;
  remove(namespace: string, name: string): void;
  /** The next calls of that kind run into it. */
  fault(kind: Kind, fault: Fault, times?: number): void;
  /** Rollouts are not done until `release`. */
  hold(): void;
  release(): void;
  /** Breaks the connection of every watch; by `expire`, each is told before that its version is too old. */
  endWatches(how: 'cut' | 'expire'): void;
  watches(): number;
  /** Answers nothing any more until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

const patchBody = z.object({
  metadata: z.object({
    resourceVersion: z.string().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.object({
    template: z.object({ spec: z.object({ containers: z.array(z.object({ name: z.string(), image: z.string() })) }) }),
  }),
});

interface Kept {
  readonly namespace: string;
  readonly name: string;
  image: string;
  version: number;
  generation: number;
  /** The generation that is rolled out. */
  done: number;
  annotations: Record<string, string>;
}

interface Watcher {
  readonly namespace: string | undefined;
  readonly res: ServerResponse;
}

export async function fakeKubernetes(): Promise<FakeKubernetes> {
  const kept = new Map<string, Kept>();
  const calls: string[] = [];
  const strange: string[] = [];
  const faults: { kind: Kind; fault: Fault; left: number }[] = [];
  const watchers = new Set<Watcher>();
  /** What happened, by the version that it made; a watch begins after the one that it names. */
  let history: { version: number; type: string; object: Kept }[] = [];
  let version = 1_000;
  let held = false;
  let port = 0;
  let server = createServer();

  function tell(type: string, object: Kept): void {
    const event = { version, type, object: { ...object } };
    history.push(event);
    for (const watcher of watchers) show(watcher, event);
  }

  function show({ namespace, res }: Watcher, { type, object }: { type: string; object: Kept }): void {
    if (namespace !== undefined && namespace !== object.namespace) return;
    res.write(`${JSON.stringify({ type, object: deployment(object) })}\n`);
  }

  function set(namespace: string, name: string, image: string, annotations: Record<string, string> = {}): Kept {
    const key = `${namespace}/${name}`;
    const before = kept.get(key);
    version += 1;
    const generation = (before?.generation ?? 0) + 1;
    const one: Kept = {
      namespace,
      name,
      image,
      version,
      generation,
      done: held ? (before?.done ?? 0) : generation,
      annotations: { ...before?.annotations, ...annotations },
    };
    kept.set(key, one);
    tell(before ? 'MODIFIED' : 'ADDED', one);
    return one;
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://server');
    const at =
      /^\/(?:apis\/apps|api)\/v1(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<what>deployments|pods|events)(?:\/(?<name>[^/]+))?$/.exec(
        url.pathname,
      )?.groups;
    const kind = at && kindOf(req.method ?? '', at, url);
    if (!at || !kind || req.headers.authorization !== 'Bearer fake') {
      strange.push(`${req.method} ${req.url}`);
      return send(res, { code: 404, reason: 'NotFound', message: 'the server could not find the requested resource' });
    }
    const { namespace, name } = at;
    calls.push(`${kind} ${namespace ?? '*'}`);
    const planned = faults.find((one) => one.kind === kind && one.left > 0);
    if (planned) {
      planned.left -= 1;
      if (planned.fault === 'cut') return void res.destroy();
      if (planned.fault !== 'lost') return send(res, planned.fault);
    }
    if (kind === 'pods' || kind === 'events') return json(res, 200, list([], url, version));
    if (kind === 'watch') return watch(res, at['what'], namespace, Number(url.searchParams.get('resourceVersion')));
    if (kind === 'list') {
      const items = [...kept.values()].filter((one) => namespace === undefined || one.namespace === namespace);
      return json(res, 200, list(items.map(deployment), url, version));
    }
    const one = kept.get(`${namespace}/${name}`);
    if (!one) {
      return send(res, { code: 404, reason: 'NotFound', message: `deployments.apps "${name}" not found` });
    }
    if (kind === 'get') return json(res, 200, deployment(one));
    const body = patchBody.parse(JSON.parse(await text(req)));
    if (body.metadata.resourceVersion !== undefined && body.metadata.resourceVersion !== String(one.version)) {
      const message = `Operation cannot be fulfilled on deployments.apps "${name}": the object has been modified; please apply your changes to the latest version and try again`;
      return send(res, { code: 409, reason: 'Conflict', message });
    }
    const image = body.spec.template.spec.containers.find((each) => each.name === name)?.image ?? one.image;
    const changed = set(one.namespace, one.name, image, body.metadata.annotations);
    if (planned) res.destroy();
    else json(res, 200, deployment(changed));
  }

  function watch(res: ServerResponse, what: string | undefined, namespace: string | undefined, from: number): void {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.flushHeaders();
    // Of pods there are none.
    const watcher = { namespace: what === 'deployments' ? namespace : 'none', res };
    for (const event of history) if (event.version > from) show(watcher, event);
    watchers.add(watcher);
    res.once('close', () => watchers.delete(watcher));
  }

  async function listen(): Promise<void> {
    server = createServer((req, res) => {
      answer(req, res).catch((error: unknown) => {
        strange.push(String(error));
        res.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    port = address.port;
  }

  async function pause(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  await listen();
  const folder = await mkdtemp(join(tmpdir(), 'fake-kubernetes-'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(
    kubeconfig,
    `apiVersion: v1
kind: Config
clusters: [{ name: fake, cluster: { server: "http://127.0.0.1:${port}", insecure-skip-tls-verify: true } }]
users: [{ name: robot, user: { token: fake } }]
contexts: [{ name: fake, context: { cluster: fake, user: robot } }]
current-context: fake
`,
  );
  return {
    kubeconfig,
    calls,
    set: (namespace, name, image) => void set(namespace, name, image),
    remove(namespace, name) {
      const one = kept.get(`${namespace}/${name}`);
      if (!one) throw new Error(`no deployment ${name}`);
      kept.delete(`${namespace}/${name}`);
      version += 1;
      tell('DELETED', { ...one, version });
    },
    fault: (kind, fault, times = 1) => void faults.push({ kind, fault, left: times }),
    hold() {
      held = true;
    },
    release() {
      held = false;
      for (const one of kept.values()) {
        if (one.done === one.generation) continue;
        version += 1;
        Object.assign(one, { version, done: one.generation });
        tell('MODIFIED', one);
      }
    },
    endWatches(how) {
      for (const watcher of watchers) {
        const { res } = watcher;
        watchers.delete(watcher);
        if (how === 'cut') {
          res.destroy();
          continue;
        }
        // What happened until now is no longer told.
        history = [];
        const object = statusOf({ code: 410, reason: 'Expired', message: `too old resource version: 1 (${version})` });
        res.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      }
    },
    watches: () => watchers.size,
    pause,
    resume: listen,
    async stop() {
      await pause();
      await rm(folder, { recursive: true, force: true });
      const unused = faults.filter(({ left }) => left > 0).map(({ kind, left }) => `${left} faults of ${kind} unused`);
      const wrong = [...strange.map((what) => `nobody prepared ${what}`), ...unused];
      if (wrong.length > 0) throw new Error(wrong.join('\n'));
    },
  };
}

function kindOf(method: string, { what, name }: Record<string, string>, url: URL): Kind | undefined {
  const isWatch = method === 'GET' && url.searchParams.get('watch') === 'true';
  if (isWatch && name === undefined) return 'watch';
  if (what === 'pods' || what === 'events') return method === 'GET' ? what : undefined;
  if (method === 'PATCH' && name !== undefined) return 'patch';
  if (method !== 'GET') return undefined;
  if (name !== undefined) return 'get';
  return 'list';
}

function deployment({ namespace, name, image, version, generation, done, annotations }: Kept): object {
  const updated = done === generation ? 1 : 0;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name, generation, annotations, resourceVersion: String(version) },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, image }] } },
    },
    status: {
      observedGeneration: generation,
      replicas: 1,
      updatedReplicas: updated,
      readyReplicas: 1,
      availableReplicas: 1,
      conditions: [
        {
          type: 'Progressing',
          status: 'True',
          reason: updated === 1 ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
          lastUpdateTime: '2026-11-20T08:00:00Z',
        },
      ],
    },
  };
}

/** One page: `continue` is where the next one begins. */
function list(items: readonly object[], url: URL, version: number): object {
  const from = Number(url.searchParams.get('continue') ?? 0);
  const to = from + Number(url.searchParams.get('limit') ?? items.length);
  const more = to < items.length ? { continue: String(to) } : {};
  return { metadata: { resourceVersion: String(version), ...more }, items: items.slice(from, to) };
}

type Answered = Exclude<Fault, 'cut' | 'lost'>;

function statusOf({ code, reason, message }: Answered): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

function send(res: ServerResponse, fault: Answered): void {
  json(res, fault.code, statusOf(fault), fault.headers);
}

function json(res: ServerResponse, code: number, body: object, headers: Readonly<Record<string, string>> = {}): void {
  res.writeHead(code, { 'content-type': 'application/json', ...headers });
  res.end(JSON.stringify(body));
}
