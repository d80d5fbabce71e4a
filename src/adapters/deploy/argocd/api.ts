/** The calls to Argo CD that a rollout needs. https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/ */

import type { ArgoTargetConfig } from '../../../domain/deploy/targets/argocd.ts';
import { path, type Rest, type RestRequest } from '../../rest/client.ts';
import { RestProblem } from '../../rest/problem.ts';
import { createLines } from '../lines.ts';
import { type Application, parseApplication, parseLogLine, parseTree } from './schema.ts';
import type { PatchStep } from './source.ts';

/** The name under which a sync carries the number of its deployment. */
const MARK = 'shipmate-deployment';

type Tree = NonNullable<ReturnType<typeof parseTree>>;

export interface Argo {
  /** @param refresh asks the controller to look now */
  application(refresh?: boolean): Promise<Application>;
  patch(steps: readonly PatchStep[]): Promise<void>;
  /** Asks for a sync that carries the mark; not repeated by itself. */
  sync(mark: string, prune: boolean, patienceMs: number, signal: AbortSignal): Promise<void>;
  /** Ends the operation under way; nothing happens if there is none. */
  terminate(): Promise<void>;
  tree(): Promise<Tree>;
  /** The last lines of a pod. */
  logs(pod: { readonly name: string; readonly namespace: string }, lines: number): Promise<readonly string[]>;
}

const ADVICE = {
  401: 'make a new one with `argocd account generate-token`',
  403: 'its account needs `get`, `update` and `sync` for this application; Argo CD says the same of one that is not there, so check `application` too',
  404: 'check `application`, `project` and `namespace` in config/services.yaml',
  409: 'somebody changed the application at the same moment: try again',
} as const;

const MOST_LOG_BYTES = 1024 * 1024;

export function createArgo(rest: Rest, config: ArgoTargetConfig, name: string): Argo {
  const own = path`/api/v1/applications/${name}`;
  const where = {
    ...(config.namespace === undefined ? {} : { appNamespace: config.namespace }),
    ...(config.project === undefined ? {} : { project: config.project }),
  };

  async function ask(request: RestRequest): Promise<unknown> {
    const { data } = await rest.ask({ advice: ADVICE, ...request });
    return data;
  }

  function parsed<T>(data: unknown, parse: (data: unknown) => T | undefined): T {
    const value = parse(data);
    if (value !== undefined) return value;
    throw new RestProblem('unreadable', 'what Argo CD answered is not what its API describes; check `url`');
  }

  return {
    async application(refresh = false) {
      const query = { ...where, ...(refresh ? { refresh: 'normal' } : {}) };
      return parsed(await ask({ path: own, query }), parseApplication);
    },
    async patch(steps) {
      await ask({
        method: 'PATCH',
        path: own,
        body: { name, patch: JSON.stringify(steps), patchType: 'json', ...where },
      });
    },
    async sync(mark, prune, patienceMs, signal) {
      const body = { name, prune, infos: [{ name: MARK, value: mark }], ...where };
      await ask({ method: 'POST', path: `${own}/sync`, body, patienceMs, signal });
    },
    async terminate() {
      try {
        await ask({ method: 'DELETE', path: `${own}/operation`, query: where });
      } catch (error) {
        if (error instanceof RestProblem && /no operation is in progress/i.test(error.said)) return;
        throw error;
      }
    },
    tree: async () => parsed(await ask({ path: `${own}/resource-tree`, query: where }), parseTree),
    async logs(pod, lines) {
      let last: string[] = [];
      const split = createLines((line) => {
        const content = parseLogLine(line);
        if (content !== undefined && content !== '') last = [...last.slice(1 - lines), content];
      });
      const query = { ...where, podName: pod.name, namespace: pod.namespace, tailLines: lines, follow: false };
      await rest.stream({ path: `${own}/logs`, query, mostBytes: MOST_LOG_BYTES, patienceMs: 0 }, split.write);
      split.end();
      return last;
    },
  };
}

/** Whether this application is at work for that deployment, or was last. */
export function stateOf(application: Application, mark: string): 'asked' | 'taken' | undefined {
  const marked = (operation: Application['operation']) =>
    operation?.info?.some(({ name, value }) => name === MARK && value === mark) === true;
  if (marked(application.status.operationState?.operation)) return 'taken';
  return marked(application.operation) ? 'asked' : undefined;
}

/** Whether any sync is under way or waits to begin. */
export function isBusy({ operation, status }: Application): boolean {
  const phase = status.operationState?.phase;
  return (operation !== undefined && operation !== null) || phase === 'Running' || phase === 'Terminating';
}
