/** GitHub as its REST API is documented (docs.github.com/rest, version 2022-11-28): Actions, Deployments, tags, logs elsewhere. */

import { createServer } from 'node:http';
import { newDeployment, dispatch as newDispatch, newStatus } from './schema.ts';
import {
  allow,
  bodyOf,
  drained,
  type Forge,
  type ForgeAnswer,
  type ForgeCall,
  onlyQuery,
  type Route,
  startForge,
} from './server.ts';

/** How the runs and deployments of a repository go. */
export interface GithubPlan {
  readonly conclusion?: 'success' | 'failure';
  /** Goes on until it is released or cancelled. */
  readonly holds?: boolean;
  /** The log of its job. */
  readonly log?: () => Iterable<string>;
  /** So often the connection breaks in the middle of the log. */
  readonly cutLogs?: number;
  /** An Enterprise Server before 3.21: it does not know `return_run_details`, and answers nothing. */
  readonly old?: boolean;
}

interface Run {
  readonly id: number;
  readonly ref: string;
  readonly title: string;
  looks: number;
  cancelled: boolean;
}

interface Deployment {
  readonly id: number;
  readonly ref: string;
  readonly environment: string;
  readonly payload: unknown;
  /** Newest first. */
  readonly statuses: { readonly state: string; readonly description: string; readonly at: Date }[];
  looks: number;
}

interface Repository {
  plan: GithubPlan;
  released: boolean;
  readonly runs: Run[];
  readonly deployments: Deployment[];
}

export interface Github extends Forge {
  plan(scope: string, plan: GithubPlan): void;
  release(scope: string): void;
  /** How many runs or deployments were begun there. */
  begun(scope: string): number;
}

const REPO = String.raw`/repos/acme/(?<scope>[\w.-]+)`;
const at = (tail: string) => new RegExp(`^${REPO}${tail}$`);

export async function startGithub(token: string): Promise<Github> {
  const repositories = new Map<string, Repository>();
  let ids = 100;
  // Logs lie elsewhere, behind an address that needs no token and must not see it.
  const shownTokens: string[] = [];
  const store = createServer((req, res) => {
    if (req.headers.authorization !== undefined) shownTokens.push(req.url ?? '');
    const scope = new URL(req.url ?? '/', 'http://local').searchParams.get('of') ?? '';
    const { plan } = of(scope);
    const faulty = forge.count(scope, 'GET log') <= (plan.cutLogs ?? 0);
    const pieces = (plan.log ?? (() => ['2026-01-31T12:00:00.0000000Z no disk\n']))();
    res.on('error', () => undefined);
    res.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    void (async () => {
      for (const piece of pieces) {
        if (res.destroyed) return;
        if (faulty) return void res.write(piece.slice(0, 20_000), () => res.destroy());
        if (!res.write(piece)) await drained(res);
      }
      res.end();
    })();
  });
  await new Promise<void>((resolve) => {
    store.listen(0, '127.0.0.1', resolve);
  });
  const storeAddress = store.address();
  const storePort = storeAddress === null || typeof storeAddress === 'string' ? 0 : storeAddress.port;

  function of(scope: string): Repository {
    const known = repositories.get(scope);
    if (known !== undefined) return known;
    const made: Repository = { plan: {}, released: false, runs: [], deployments: [] };
    repositories.set(scope, made);
    return made;
  }

  function guard(call: ForgeCall): ForgeAnswer | undefined {
    const { headers } = call;
    allow(headers.accept === 'application/vnd.github+json', `accept ${headers.accept}`);
    allow(headers['x-github-api-version'] === '2022-11-28', `version ${headers['x-github-api-version']?.toString()}`);
    allow((headers['user-agent'] ?? '') !== '', 'no user-agent');
    if (headers.authorization === `Bearer ${token}`) return undefined;
    return { status: 401, json: { message: 'Bad credentials', status: '401' } };
  }

  function stateOf(repository: Repository, run: Run): { status: string; conclusion: string | null } {
    if (run.cancelled) return { status: 'completed', conclusion: 'cancelled' };
    const over = repository.plan.holds === true ? repository.released : run.looks > 1;
    if (!over) return { status: 'in_progress', conclusion: null };
    return { status: 'completed', conclusion: repository.plan.conclusion ?? 'success' };
  }

  /** Actions keeps a deployment for a job that names an environment. */
  function recorded(repository: Repository, run: Run): void {
    if (stateOf(repository, run).conclusion !== 'success') return;
    if (repository.deployments.some(({ id }) => id === run.id + 50_000)) return;
    repository.deployments.unshift({
      id: run.id + 50_000,
      ref: run.ref,
      environment: 'staging',
      payload: '',
      statuses: [{ state: 'success', description: '', at: new Date() }],
      looks: 0,
    });
  }

  function runJson(scope: string, run: Run) {
    return {
      id: run.id,
      name: 'deploy',
      display_title: run.title,
      head_branch: run.ref,
      event: 'workflow_dispatch',
      html_url: `https://github.example.com/acme/${scope}/actions/runs/${run.id}`,
      ...stateOf(of(scope), run),
    };
  }

  function runOf(call: ForgeCall): Run | undefined {
    return of(call.scope).runs.find(({ id }) => id === Number(call.parts['id']));
  }

  const notFound: ForgeAnswer = { status: 404, json: { message: 'Not Found', status: '404' } };

  function dispatched(call: ForgeCall): ForgeAnswer {
    const body = bodyOf(call, newDispatch);
    const repository = of(call.scope);
    if (repository.plan.old === true && body.return_run_details !== undefined) {
      return { status: 400, json: { message: 'Invalid request.\n\n"return_run_details" is not a permitted key.' } };
    }
    const known = ['environment', 'id'];
    const unknown = Object.keys(body.inputs ?? {}).filter((name) => !known.includes(name));
    if (unknown.length > 0) return { status: 422, json: { message: `Unexpected inputs provided: ["${unknown[0]}"]` } };
    if (body.ref !== 'v2') return { status: 422, json: { message: `No ref found for: ${body.ref}` } };
    ids += 1;
    const title = `Deploy to ${body.inputs?.['environment']} (${body.inputs?.['id']})`;
    repository.runs.unshift({ id: ids, ref: body.ref, title, looks: 0, cancelled: false });
    if (body.return_run_details !== true) return { status: 204 };
    const where = `/repos/acme/${call.scope}/actions/runs/${ids}`;
    return {
      status: 200,
      json: { workflow_run_id: ids, run_url: `${forge.url}${where}`, html_url: `https://github.example.com${where}` },
    };
  }

  function jobsOf(call: ForgeCall): ForgeAnswer {
    onlyQuery(call, 'filter', 'per_page', 'page');
    const run = runOf(call);
    if (run === undefined) return notFound;
    const { status, conclusion } = stateOf(of(call.scope), run);
    const step = { name: 'Run ./deploy.sh', status, conclusion, number: 2 };
    const job = { id: run.id + 1_000, run_id: run.id, name: 'deploy', status, conclusion, steps: [step] };
    return { status: 200, json: { total_count: 1, jobs: [job] } };
  }

  function created(call: ForgeCall): ForgeAnswer {
    const body = bodyOf(call, newDeployment);
    ids += 1;
    const made: Deployment = {
      id: ids,
      ref: body.ref,
      environment: body.environment ?? 'production',
      payload: body.payload ?? '',
      statuses: [],
      looks: 0,
    };
    of(call.scope).deployments.unshift(made);
    return { status: 201, json: deploymentJson(made) };
  }

  function deploymentJson(one: Deployment) {
    const { id, ref, environment, payload } = one;
    const created_at = '2026-01-31T12:00:00Z';
    return { id, sha: 'a'.repeat(40), ref, task: 'deploy', payload, environment, description: '', created_at };
  }

  function deploymentOf(call: ForgeCall): Deployment | undefined {
    return of(call.scope).deployments.find(({ id }) => id === Number(call.parts['id']));
  }

  /** A success makes the ones before it inactive, as documented under “Inactive deployments”. */
  function report(repository: Repository, one: Deployment, state: string, description: string): void {
    one.statuses.unshift({ state, description, at: new Date() });
    if (state !== 'success') return;
    const others = repository.deployments.filter((each) => each !== one && each.environment === one.environment);
    for (const other of others) {
      if (other.statuses[0]?.state === 'success') {
        other.statuses.unshift({ state: 'inactive', description: '', at: new Date() });
      }
    }
  }

  function statusesOf(call: ForgeCall): ForgeAnswer {
    onlyQuery(call, 'per_page', 'page');
    const repository = of(call.scope);
    const one = deploymentOf(call);
    if (one === undefined) return notFound;
    // Somebody else carries it out while the robot looks.
    one.looks += 1;
    const ended = one.statuses.some(({ state }) => ['success', 'failure', 'error', 'inactive'].includes(state));
    if (!ended && one.looks === 1) report(repository, one, 'in_progress', 'Copying files');
    const over = repository.plan.holds === true ? repository.released : one.looks > 2;
    if (!ended && over) report(repository, one, repository.plan.conclusion ?? 'success', 'the disk of host-3');
    const most = Number(call.query.get('per_page') ?? 30);
    const json = one.statuses.slice(0, most).map(({ state, description, at: when }, index) => ({
      id: one.id * 100 + index,
      state,
      description,
      log_url: 'https://ci.example.com/7',
      target_url: '',
      created_at: when.toISOString(),
    }));
    return { status: 200, json };
  }

  const routes: readonly Route[] = [
    {
      name: 'GET tags',
      method: 'GET',
      path: at('/tags'),
      answer(call) {
        onlyQuery(call, 'per_page', 'page');
        return { status: 200, json: [{ name: 'v2' }, { name: 'v1' }] };
      },
    },
    {
      name: 'GET runs',
      method: 'GET',
      path: at(String.raw`/actions/workflows/(?<workflow>[\w.-]+)/runs`),
      answer(call) {
        onlyQuery(call, 'actor', 'branch', 'event', 'status', 'per_page', 'page', 'created', 'head_sha');
        const { runs } = of(call.scope);
        return {
          status: 200,
          json: { total_count: runs.length, workflow_runs: runs.map((run) => runJson(call.scope, run)) },
        };
      },
    },
    {
      name: 'POST dispatches',
      method: 'POST',
      path: at(String.raw`/actions/workflows/(?<workflow>[\w.-]+)/dispatches`),
      answer: dispatched,
    },
    {
      name: 'GET run',
      method: 'GET',
      path: at(String.raw`/actions/runs/(?<id>\d+)`),
      answer(call) {
        const run = runOf(call);
        if (run === undefined) return notFound;
        run.looks += 1;
        recorded(of(call.scope), run);
        return { status: 200, json: runJson(call.scope, run) };
      },
    },
    { name: 'GET jobs', method: 'GET', path: at(String.raw`/actions/runs/(?<id>\d+)/jobs`), answer: jobsOf },
    {
      name: 'POST cancel',
      method: 'POST',
      path: at(String.raw`/actions/runs/(?<id>\d+)/cancel`),
      answer(call) {
        const run = runOf(call);
        if (run === undefined) return notFound;
        if (stateOf(of(call.scope), run).status === 'completed') {
          return { status: 409, json: { message: 'Cannot cancel a workflow run that is completed' } };
        }
        run.cancelled = true;
        return { status: 202, json: {} };
      },
    },
    {
      name: 'GET log',
      method: 'GET',
      path: at(String.raw`/actions/jobs/(?<id>\d+)/logs`),
      answer: ({ scope }) => ({ status: 302, headers: { location: `http://127.0.0.1:${storePort}/log?of=${scope}` } }),
    },
    {
      name: 'GET deployments',
      method: 'GET',
      path: at('/deployments'),
      answer(call) {
        onlyQuery(call, 'sha', 'ref', 'task', 'environment', 'per_page', 'page');
        const environment = call.query.get('environment') ?? '';
        const found = of(call.scope).deployments.filter((one) => one.environment === environment);
        return { status: 200, json: found.map(deploymentJson) };
      },
    },
    { name: 'POST deployments', method: 'POST', path: at('/deployments'), answer: created },
    { name: 'GET statuses', method: 'GET', path: at(String.raw`/deployments/(?<id>\d+)/statuses`), answer: statusesOf },
    {
      name: 'POST statuses',
      method: 'POST',
      path: at(String.raw`/deployments/(?<id>\d+)/statuses`),
      answer(call) {
        const body = bodyOf(call, newStatus);
        const one = deploymentOf(call);
        if (one === undefined) return notFound;
        report(of(call.scope), one, body.state, body.description ?? '');
        return { status: 201, json: { id: one.id * 100, state: body.state } };
      },
    },
  ];
  const forge = await startForge(routes, guard);
  return {
    ...forge,
    plan(scope, plan) {
      of(scope).plan = plan;
    },
    release(scope) {
      of(scope).released = true;
    },
    begun: (scope) => of(scope).runs.length + of(scope).deployments.filter(({ id }) => id < 50_000).length,
    async close() {
      store.closeAllConnections();
      await new Promise((resolve) => {
        store.close(resolve);
      });
      await forge.close();
      if (shownTokens.length > 0)
        throw new Error(`the token was shown to the place of the logs: ${shownTokens.join(', ')}`);
    },
  };
}
