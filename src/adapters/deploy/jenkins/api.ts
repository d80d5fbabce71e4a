/** The calls to Jenkins that a rollout needs. */

import type { Rest, RestAnswer, RestRequest } from '../../rest/client.ts';
import { RestProblem } from '../../rest/problem.ts';
import {
  type Build,
  type Item,
  parseBuild,
  parseBuilds,
  parseCrumb,
  parseItem,
  parseJob,
  parseQueue,
} from './schema.ts';

/** What became of a request for a build: it waits in the queue, or runs, or ran. */
export type Found = { readonly item: number } | { readonly build: number };

export interface LogPart {
  /** Where the next part begins, as Jenkins counts. */
  readonly next: number;
  /** False if the part was cut at the limit. */
  readonly whole: boolean;
  /** Whether the build still writes. */
  readonly more: boolean;
}

export interface Jenkins {
  job(): Promise<{ readonly next: number; readonly parameters: ReadonlyMap<string, readonly string[] | undefined> }>;
  /** Asks for a build; not repeated by itself. */
  start(
    parameters: Readonly<Record<string, string>>,
    patienceMs: number,
    signal: AbortSignal,
  ): Promise<Found | undefined>;
  /** Looks in the queue and among the latest builds for one with these parameters, whose number is `from` at least. */
  find(parameters: Readonly<Record<string, string>>, from: number): Promise<Found | undefined>;
  /** Undefined if Jenkins has forgotten it, as it does five minutes after the build began. */
  item(id: number): Promise<Item | undefined>;
  build(number: number): Promise<Build>;
  /** Newest first. */
  builds(count: number): Promise<readonly Build[]>;
  log(number: number, from: number, mostBytes: number, take: (piece: Buffer) => void): Promise<LogPart>;
  cancelItem(id: number): Promise<void>;
  stopBuild(number: number): Promise<void>;
  /** Asks for a build; not repeated by itself. @param parameters undefined for a job that takes none */
  rebuild(parameters: Readonly<Record<string, string>> | undefined): Promise<void>;
}

const ADVICE = {
  401: 'make a new API token on the page of that user, and check `user`',
  403: 'that user needs Job/Read, Job/Build and Job/Cancel for this job',
  404: 'check `job` in config/services.yaml (folders are part of it), and that this user may read it',
  409: 'the job is disabled or cannot be built now: enable it in Jenkins',
} as const;

const BUILD = 'number,queueId,building,result,timestamp,duration,estimatedDuration';

/** Path of a job: `a/b` is `/job/a/job/b`. */
export function jobPath(job: string): string {
  return job
    .split('/')
    .map((part) => `/job/${encodeURIComponent(part)}`)
    .join('');
}

/** @param job with its folders */
export function createJenkins(rest: Rest, job: string): Jenkins {
  const path = jobPath(job);
  let crumb: Readonly<Record<string, string>> = {};

  async function get<T>(from: string, parse: (data: unknown) => T | undefined, tree?: string): Promise<T> {
    const { data } = await rest.ask({ path: `${from}/api/json`, query: { tree }, advice: ADVICE });
    const parsed = parse(data);
    if (parsed === undefined) {
      throw new RestProblem(
        'unreadable',
        `what Jenkins answered at ${from} is not what its API describes; check \`url\``,
      );
    }
    return parsed;
  }

  /**
   * Sends a form. With a password instead of an API token Jenkins wants a crumb, and the session that it was made in:
   * https://www.jenkins.io/doc/book/security/csrf-protection/.
   */
  async function post(request: RestRequest): Promise<RestAnswer | undefined> {
    const send = () => rest.ask({ ...request, method: 'POST', headers: crumb, advice: ADVICE });
    try {
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof RestProblem) || error.kind !== 'forbidden' || !(await fetchCrumb())) throw error;
        return await send();
      }
    } catch (error) {
      // Jenkins leads back to a page after most forms: then it was done.
      if (error instanceof RestProblem && error.kind === 'moved') return undefined;
      throw error;
    }
  }

  async function fetchCrumb(): Promise<boolean> {
    try {
      const { data, headers } = await rest.ask({ path: '/crumbIssuer/api/json', advice: ADVICE });
      const made = parseCrumb(data);
      if (made === undefined) return false;
      const cookie = (headers['set-cookie'] ?? '')
        .split('\n')
        .map((line) => line.split(';')[0]?.trim() ?? '')
        .filter(Boolean)
        .join('; ');
      crumb = { [made.crumbRequestField]: made.crumb, ...(cookie === '' ? {} : { cookie }) };
      return true;
    } catch {
      return false;
    }
  }

  async function find(parameters: Readonly<Record<string, string>>, from: number): Promise<Found | undefined> {
    const same = (has: ReadonlyMap<string, string>) =>
      Object.entries(parameters).every(([name, value]) => has.get(name) === value);
    const waiting = await get('/queue', parseQueue, 'items[id,task[url],actions[parameters[name,value]]]');
    const item = waiting.find(({ task, actions }) => ends(task.url, path) && same(actions));
    if (item !== undefined) return { item: item.id };
    const list = await get(path, parseBuilds, 'builds[number,queueId,actions[parameters[name,value]]]{0,30}');
    const build = list.find(({ number, actions }) => number >= from && same(actions));
    return build === undefined ? undefined : { build: build.number };
  }

  return {
    async job() {
      const found = await get(path, parseJob, 'nextBuildNumber,property[parameterDefinitions[name,choices]]');
      return {
        next: found.nextBuildNumber,
        parameters: new Map(found.property.map(({ name, choices }) => [name, choices])),
      };
    },
    async start(parameters, patienceMs, signal) {
      const answer = await post({
        path: `${path}/buildWithParameters`,
        body: new URLSearchParams(parameters),
        patienceMs,
        signal,
      });
      const id = /\/queue\/item\/(?<id>\d+)/.exec(answer?.headers['location'] ?? '')?.groups?.['id'];
      return id === undefined ? undefined : { item: Number(id) };
    },
    find,
    async item(id) {
      try {
        return await get(`/queue/item/${id}`, parseItem);
      } catch (error) {
        if (error instanceof RestProblem && error.kind === 'not_found') return undefined;
        throw error;
      }
    },
    build: (number) => get(`${path}/${number}`, parseBuild, BUILD),
    builds: (count) => get(path, parseBuilds, `builds[${BUILD},actions[parameters[name,value]]]{0,${count}}`),
    async log(number, from, mostBytes, take) {
      let size = 0;
      const { whole, headers } = await rest.stream(
        { path: `${path}/${number}/logText/progressiveText`, query: { start: from }, mostBytes, advice: ADVICE },
        (piece) => {
          size += piece.length;
          take(piece);
        },
      );
      const next = Number(headers['x-text-size'] ?? Number.NaN);
      return { next: Number.isSafeInteger(next) ? next : from + size, whole, more: headers['x-more-data'] === 'true' };
    },
    async cancelItem(id) {
      try {
        await post({ path: '/queue/cancelItem', query: { id }, repeatable: true });
      } catch (error) {
        // 404: it has left the queue; 422: it is just about to (hudson.model.Queue.doCancelItem). Who looks next sees what became of it.
        if (!(error instanceof RestProblem && (error.status === 404 || error.status === 422))) throw error;
      }
    },
    async stopBuild(number) {
      await post({ path: `${path}/${number}/stop`, repeatable: true });
    },
    async rebuild(parameters) {
      if (parameters === undefined) await post({ path: `${path}/build` });
      else await post({ path: `${path}/buildWithParameters`, body: new URLSearchParams(parameters) });
    },
  };
}

function ends(url: string, path: string): boolean {
  return decoded(url).replace(/\/+$/, '').endsWith(decoded(path));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
