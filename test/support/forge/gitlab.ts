/** GitLab as its REST API is documented (docs.gitlab.com/api): pipelines, triggers, jobs and their traces, deployments, tags. */

import { newPipeline } from './schema.ts';
import {
  allow,
  bodyOf,
  type Forge,
  type ForgeAnswer,
  type ForgeCall,
  formOf,
  onlyQuery,
  type Route,
  startForge,
} from './server.ts';

/** How the pipelines of a project go. */
export interface GitlabPlan {
  readonly ends?: 'success' | 'failed';
  /** Goes on until it is released or cancelled. */
  readonly holds?: boolean;
  /** Its jobs run in a pipeline further down, which a bridge starts. */
  readonly bridge?: boolean;
  /** The deploy waits until somebody starts it on GitLab: until it is released. */
  readonly manual?: boolean;
  /** The trace of its job. */
  readonly trace?: () => Iterable<string>;
}

interface Pipeline {
  readonly id: number;
  readonly ref: string;
  readonly source: 'api' | 'trigger';
  readonly variables: readonly { readonly key: string; readonly value: string }[];
  looks: number;
  cancelled: boolean;
}

interface Project {
  plan: GitlabPlan;
  released: boolean;
  readonly pipelines: Pipeline[];
}

export interface Gitlab extends Forge {
  plan(scope: string, plan: GitlabPlan): void;
  release(scope: string): void;
  /** How many pipelines were begun there. */
  begun(scope: string): number;
}

export interface GitlabTokens {
  readonly access: string;
  readonly trigger: string;
}

const at = (tail: string) => new RegExp(`^/api/v4/projects/acme%2F(?<scope>[\\w.-]+)${tail}$`);
const notFound = (what: string): ForgeAnswer => ({ status: 404, json: { message: `404 ${what} Not Found` } });

export async function startGitlab(tokens: GitlabTokens): Promise<Gitlab> {
  const projects = new Map<string, Project>();
  let ids = 700;

  function of(scope: string): Project {
    const known = projects.get(scope);
    if (known !== undefined) return known;
    const made: Project = { plan: {}, released: false, pipelines: [] };
    projects.set(scope, made);
    return made;
  }

  function guard(call: ForgeCall): ForgeAnswer | undefined {
    const given = call.headers['private-token'];
    if (call.route === 'POST trigger') {
      // It goes by its own token; the other one is nobody's business there.
      allow(given === undefined, 'a trigger is called with its own token alone');
      return undefined;
    }
    if (given === tokens.access) return undefined;
    return { status: 401, json: { message: '401 Unauthorized' } };
  }

  function statusOf({ plan, released }: Project, { looks, cancelled }: Pipeline): string {
    if (cancelled) return looks > 3 ? 'canceled' : 'canceling';
    if (plan.manual === true && !released) return looks > 1 ? 'manual' : 'running';
    if (plan.holds === true && !released) return 'running';
    return looks > 1 ? (plan.ends ?? 'success') : 'running';
  }

  function json(scope: string, one: Pipeline) {
    return {
      id: one.id,
      iid: one.id,
      status: statusOf(of(scope), one),
      source: one.source,
      ref: one.ref,
      sha: 'b'.repeat(40),
      web_url: `https://gitlab.example.com/acme/${scope}/-/pipelines/${one.id}`,
    };
  }

  function pipelineOf(call: ForgeCall): Pipeline | undefined {
    return of(call.scope).pipelines.find(({ id }) => id === Number(call.parts['id']));
  }

  function begin(
    scope: string,
    source: Pipeline['source'],
    ref: string,
    variables: Pipeline['variables'],
  ): ForgeAnswer {
    if (ref !== 'v2') return { status: 400, json: { message: { base: ['Reference not found'] } } };
    ids += 1;
    const made: Pipeline = { id: ids, ref, source, variables, looks: 0, cancelled: false };
    of(scope).pipelines.unshift(made);
    return { status: 201, json: json(scope, made) };
  }

  function jobStatus(call: ForgeCall, pipeline: Pipeline): string {
    const status = statusOf(of(call.scope), pipeline);
    return status === 'canceling' ? 'canceled' : status;
  }

  function jobsOf(call: ForgeCall): ForgeAnswer {
    onlyQuery(call, 'scope', 'include_retried', 'per_page', 'page');
    const pipeline = pipelineOf(call);
    if (pipeline === undefined) return notFound('Pipeline');
    if (of(call.scope).plan.bridge === true) return { status: 200, json: [] };
    const status = jobStatus(call, pipeline);
    const job = { id: pipeline.id + 1_000, name: 'deploy', stage: 'rollout', status, allow_failure: false };
    return { status: 200, json: [status === 'failed' ? { ...job, failure_reason: 'script_failure' } : job] };
  }

  function bridgesOf(call: ForgeCall): ForgeAnswer {
    onlyQuery(call, 'scope', 'per_page', 'page');
    const pipeline = pipelineOf(call);
    if (pipeline === undefined) return notFound('Pipeline');
    if (of(call.scope).plan.bridge !== true) return { status: 200, json: [] };
    const status = jobStatus(call, pipeline);
    const web_url = `https://gitlab.example.com/acme/infra/-/pipelines/${pipeline.id + 5}`;
    const bridge = { id: pipeline.id + 2_000, name: 'roll-out', stage: 'rollout', status, allow_failure: false };
    return { status: 200, json: [{ ...bridge, downstream_pipeline: { id: pipeline.id + 5, status, web_url } }] };
  }

  function deploymentsOf(call: ForgeCall): ForgeAnswer {
    onlyQuery(call, 'order_by', 'sort', 'updated_after', 'updated_before', 'environment', 'status', 'per_page', 'page');
    allow(call.query.get('status') === 'success', 'only what succeeded is live');
    const project = of(call.scope);
    const environment = call.query.get('environment') ?? '';
    const good = project.pipelines.filter(
      (one) =>
        statusOf(project, one) === 'success' &&
        one.variables.some(({ key, value }) => key === 'DEPLOY_TO' && value === environment),
    );
    const list = good.map(({ id, ref }) => ({
      id: id + 3_000,
      iid: 1,
      ref,
      sha: 'b'.repeat(40),
      created_at: '2026-01-31T12:00:00.000Z',
      updated_at: '2026-01-31T12:01:00.000Z',
      status: 'success',
      deployable: { id: id + 1_000, finished_at: '2026-01-31T12:01:00.000Z', pipeline: { id } },
    }));
    return { status: 200, json: list.slice(0, Number(call.query.get('per_page') ?? 20)) };
  }

  const routes: readonly Route[] = [
    {
      name: 'GET tags',
      method: 'GET',
      path: at('/repository/tags'),
      answer(call) {
        onlyQuery(call, 'order_by', 'sort', 'search', 'per_page', 'page');
        return { status: 200, json: [{ name: 'v2' }, { name: 'v1' }] };
      },
    },
    {
      name: 'GET pipelines',
      method: 'GET',
      path: at('/pipelines'),
      answer(call) {
        onlyQuery(call, 'scope', 'status', 'ref', 'sha', 'source', 'order_by', 'sort', 'per_page', 'page');
        const source = call.query.get('source');
        const found = of(call.scope).pipelines.filter((one) => source === null || one.source === source);
        return { status: 200, json: found.map((one) => json(call.scope, one)) };
      },
    },
    {
      name: 'POST pipeline',
      method: 'POST',
      path: at('/pipeline'),
      answer(call) {
        const body = bodyOf(call, newPipeline);
        return begin(call.scope, 'api', body.ref, body.variables ?? []);
      },
    },
    {
      name: 'POST trigger',
      method: 'POST',
      path: at('/trigger/pipeline'),
      answer(call) {
        const { token, ref = '', ...more } = formOf(call);
        if (token !== tokens.trigger) return { status: 404, json: { message: '404 Not Found' } };
        const variables = Object.entries(more).map(([name, value]) => {
          const key = /^variables\[(?<key>\w+)\]$/.exec(name)?.groups?.['key'];
          allow(key !== undefined, `form field ${name}`);
          return { key: key ?? '', value };
        });
        return begin(call.scope, 'trigger', ref, variables);
      },
    },
    {
      name: 'GET pipeline',
      method: 'GET',
      path: at(String.raw`/pipelines/(?<id>\d+)`),
      answer(call) {
        const pipeline = pipelineOf(call);
        if (pipeline === undefined) return notFound('Pipeline');
        pipeline.looks += 1;
        return { status: 200, json: json(call.scope, pipeline) };
      },
    },
    { name: 'GET jobs', method: 'GET', path: at(String.raw`/pipelines/(?<id>\d+)/jobs`), answer: jobsOf },
    { name: 'GET bridges', method: 'GET', path: at(String.raw`/pipelines/(?<id>\d+)/bridges`), answer: bridgesOf },
    {
      name: 'GET variables',
      method: 'GET',
      path: at(String.raw`/pipelines/(?<id>\d+)/variables`),
      answer: (call) => ({ status: 200, json: pipelineOf(call)?.variables ?? [] }),
    },
    {
      name: 'POST cancel',
      method: 'POST',
      path: at(String.raw`/pipelines/(?<id>\d+)/cancel`),
      answer(call) {
        const pipeline = pipelineOf(call);
        if (pipeline === undefined) return notFound('Pipeline');
        pipeline.cancelled = true;
        pipeline.looks = 2;
        return { status: 200, json: json(call.scope, pipeline) };
      },
    },
    {
      name: 'GET trace',
      method: 'GET',
      path: at(String.raw`/jobs/(?<id>\d+)/trace`),
      answer: (call) => ({ status: 200, text: (of(call.scope).plan.trace ?? (() => ['no disk\n']))() }),
    },
    { name: 'GET deployments', method: 'GET', path: at('/deployments'), answer: deploymentsOf },
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
    begun: (scope) => of(scope).pipelines.length,
  };
}
