/**
 * Jenkins as its remote access API is (https://www.jenkins.io/doc/book/using/remote-access-api/, and for the queue and crumbs its own
 * sources: hudson.model.Queue, ParameterizedJobMixIn, hudson.security.csrf.CrumbFilter, hudson.console.AnnotatedLargeText).
 */

import {
  allow,
  type Forge,
  type ForgeAnswer,
  type ForgeCall,
  formOf,
  type LongText,
  onlyQuery,
  type Route,
  startForge,
} from './server.ts';

/** How a job goes. */
export interface JenkinsPlan {
  readonly result?: 'SUCCESS' | 'FAILURE' | 'UNSTABLE';
  /** The build goes on until it is released or stopped. */
  readonly holds?: boolean;
  /** The item waits in the queue until it is released or cancelled; `slips`: just then it becomes a build. */
  readonly waits?: boolean | 'slips';
  readonly disabled?: boolean;
  readonly console?: LongText;
}

interface Build {
  readonly number: number;
  readonly item: number;
  readonly parameters: Readonly<Record<string, string>>;
  looks: number;
  begun: boolean;
  cancelled: boolean;
  stopped: boolean;
}

interface Job {
  plan: JenkinsPlan;
  released: boolean;
  readonly builds: Build[];
}

export interface Jenkins extends Forge {
  plan(scope: string, plan: JenkinsPlan): void;
  release(scope: string): void;
  /** How many builds were asked for there. */
  begun(scope: string): number;
  /** Of the newest one. */
  stopped(scope: string): boolean;
}

/** Who may come in: with an API token, which needs no crumb, or with a password, which does. */
export interface JenkinsUsers {
  readonly token: { readonly user: string; readonly secret: string };
  readonly password: { readonly user: string; readonly secret: string };
}

const DECLARED = ['SERVICE', 'ENVIRONMENT', 'VERSION', 'DEPLOYMENT'];
const CRUMB = 'c0ffee';
const SESSION = 'JSESSIONID.5a=node01';
const at = (tail: string) => new RegExp(`^/jenkins/job/platform/job/(?<scope>[\\w.-]+)${tail}$`);

/** A page, as Jenkins answers with. */
function page(status: number, message: string, headers: Record<string, string> = {}): ForgeAnswer {
  const text = [`<html><body><h1>${message}</h1></body></html>`];
  return { status, text, headers: { 'content-type': 'text/html;charset=utf-8', ...headers } };
}

export async function startJenkins(users: JenkinsUsers): Promise<Jenkins> {
  const jobs = new Map<string, Job>();
  let items = 30;

  function of(scope: string): Job {
    const known = jobs.get(scope);
    if (known !== undefined) return known;
    const made: Job = { plan: {}, released: false, builds: [] };
    jobs.set(scope, made);
    return made;
  }

  function guard({ headers, method }: ForgeCall): ForgeAnswer | undefined {
    const basic = ({ user, secret }: JenkinsUsers['token']) =>
      `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
    if (headers.authorization === basic(users.token)) return undefined;
    if (headers.authorization !== basic(users.password)) return page(401, 'Invalid password/token for user: shipmate');
    if (method === 'GET') return undefined;
    const good = headers['jenkins-crumb'] === CRUMB && headers.cookie === SESSION;
    return good ? undefined : page(403, 'No valid crumb was included in the request');
  }

  const all = () => [...jobs].flatMap(([scope, job]) => job.builds.map((build) => ({ scope, job, build })));
  const byItem = (id: string | null | undefined) => all().find(({ build }) => build.item === Number(id));
  const scopeOfItem: Route['scopeOf'] = (parts, query) => byItem(parts['id'] ?? query.get('id'))?.scope ?? '';

  function resultOf({ plan, released }: Job, build: Build): string | null {
    if (build.stopped) return build.looks > 2 ? 'ABORTED' : null;
    if (plan.holds === true && !released) return null;
    return build.looks > 1 ? (plan.result ?? 'SUCCESS') : null;
  }

  function buildJson(job: Job, build: Build) {
    const result = resultOf(job, build);
    const parameters = Object.entries(build.parameters).map(([name, value]) => ({ name, value }));
    return {
      _class: 'org.jenkinsci.plugins.workflow.job.WorkflowRun',
      number: build.number,
      queueId: build.item,
      building: result === null,
      result,
      timestamp: Date.now() - 1_000,
      duration: result === null ? 0 : 900,
      estimatedDuration: 60_000,
      actions: [{ _class: 'hudson.model.ParametersAction', parameters }, {}],
    };
  }

  function started(call: ForgeCall): ForgeAnswer {
    const parameters = formOf(call);
    for (const name of Object.keys(parameters)) allow(DECLARED.includes(name), `the job declares no ${name}`);
    const job = of(call.scope);
    if (job.plan.disabled === true) return page(409, `platform/${call.scope} is not buildable`);
    items += 1;
    const number = job.builds.length + 7;
    job.builds.push({ number, item: items, parameters, looks: 0, begun: false, cancelled: false, stopped: false });
    return { status: 201, headers: { location: `${forge.url}/jenkins/queue/item/${items}/` } };
  }

  function itemOf(call: ForgeCall): ForgeAnswer {
    const found = byItem(call.parts['id']);
    if (found === undefined) return page(404, 'Not Found');
    const { job, build } = found;
    const waits = job.plan.waits !== undefined && job.plan.waits !== false && !job.released;
    if (!waits && !build.cancelled && forge.count(call.scope, 'GET item') > 1) build.begun = true;
    const left = { id: build.item, cancelled: build.cancelled, stuck: false, why: null };
    if (build.cancelled) return { status: 200, json: { ...left, _class: 'hudson.model.Queue$LeftItem' } };
    if (!build.begun) {
      const why = 'Waiting for next available executor on ‘deployers’';
      return { status: 200, json: { id: build.item, stuck: false, why, _class: 'hudson.model.Queue$BuildableItem' } };
    }
    return { status: 200, json: { ...left, executable: { number: build.number, url: 'https://ci.example.com' } } };
  }

  function cancelled(call: ForgeCall): ForgeAnswer {
    const found = byItem(call.query.get('id'));
    if (found === undefined) return page(404, 'Provided id not found');
    const { job, build } = found;
    if (job.plan.waits === 'slips') build.begun = true;
    // It is in the queue no more.
    if (build.begun || build.cancelled) return page(404, `Provided id (${build.item}) not found`);
    build.cancelled = true;
    return { status: 204 };
  }

  function buildOf(call: ForgeCall): Build | undefined {
    return of(call.scope).builds.find(({ number, begun }) => begun && number === Number(call.parts['number']));
  }

  function consoleOf(call: ForgeCall): ForgeAnswer {
    onlyQuery(call, 'start');
    const build = buildOf(call);
    if (build === undefined) return page(404, 'Not Found');
    const start = Number(call.query.get('start') ?? 0);
    const job = of(call.scope);
    const { console } = job.plan;
    const small = 'Started by user shipmate\nCopying files\n';
    const size = console?.size ?? small.length;
    allow(start >= 0 && start <= size, `start ${start} of ${size}`);
    const more: Record<string, string> = resultOf(job, build) === null ? { 'x-more-data': 'true' } : {};
    return {
      status: 200,
      headers: { 'content-type': 'text/plain;charset=utf-8', 'x-text-size': String(size), ...more },
      text: console?.read(start) ?? [small.slice(start)],
    };
  }

  const routes: readonly Route[] = [
    {
      name: 'GET crumb',
      method: 'GET',
      path: /^\/jenkins\/crumbIssuer\/api\/json$/,
      answer: () => ({
        status: 200,
        headers: { 'set-cookie': `${SESSION}; Path=/; HttpOnly` },
        json: { _class: 'hudson.security.csrf.DefaultCrumbIssuer', crumb: CRUMB, crumbRequestField: 'Jenkins-Crumb' },
      }),
    },
    {
      name: 'GET job',
      method: 'GET',
      path: at('/api/json'),
      answer(call) {
        onlyQuery(call, 'tree');
        const job = of(call.scope);
        const parameterDefinitions = DECLARED.map((name) => ({ name, type: 'StringParameterDefinition' }));
        const builds = job.builds.filter(({ begun }) => begun).toReversed();
        return {
          status: 200,
          json: {
            nextBuildNumber: job.builds.length + 7,
            property: [{}, { parameterDefinitions }],
            builds: builds.map((build) => buildJson(job, build)),
          },
        };
      },
    },
    { name: 'POST build', method: 'POST', path: at('/buildWithParameters'), answer: started },
    {
      name: 'GET queue',
      method: 'GET',
      path: /^\/jenkins\/queue\/api\/json$/,
      answer() {
        const waiting = all().filter(({ build }) => !build.begun && !build.cancelled);
        const list = waiting.map(({ scope, build }) => ({
          id: build.item,
          task: { url: `${forge.url}/jenkins/job/platform/job/${scope}/` },
          actions: [{ parameters: Object.entries(build.parameters).map(([name, value]) => ({ name, value })) }],
        }));
        return { status: 200, json: { items: list } };
      },
    },
    {
      name: 'GET item',
      method: 'GET',
      path: /^\/jenkins\/queue\/item\/(?<id>\d+)\/api\/json$/,
      scopeOf: scopeOfItem,
      answer: itemOf,
    },
    {
      name: 'POST cancelItem',
      method: 'POST',
      path: /^\/jenkins\/queue\/cancelItem$/,
      scopeOf: scopeOfItem,
      answer: cancelled,
    },
    {
      name: 'GET build',
      method: 'GET',
      path: at(String.raw`/(?<number>\d+)/api/json`),
      answer(call) {
        onlyQuery(call, 'tree');
        const build = buildOf(call);
        if (build === undefined) return page(404, 'Not Found');
        build.looks += 1;
        return { status: 200, json: buildJson(of(call.scope), build) };
      },
    },
    {
      name: 'GET console',
      method: 'GET',
      path: at(String.raw`/(?<number>\d+)/logText/progressiveText`),
      answer: consoleOf,
    },
    {
      name: 'POST stop',
      method: 'POST',
      path: at(String.raw`/(?<number>\d+)/stop`),
      answer(call) {
        const build = buildOf(call);
        if (build === undefined) return page(404, 'Not Found');
        build.stopped = true;
        // Back to the page of the build.
        return { status: 302, headers: { location: `${forge.url}/jenkins/job/platform/job/${call.scope}/` } };
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
    begun: (scope) => of(scope).builds.length,
    stopped: (scope) => of(scope).builds.at(-1)?.stopped === true,
  };
}
