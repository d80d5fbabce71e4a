/**
 * A Deployment of a repository: created once, then something else carries it out and reports its state.
 * docs.github.com/rest/deployments/deployments, /statuses
 */

import type { Clock } from '../../../domain/deploy/ports.ts';
import type { TargetOutcome, TargetRequest, TargetRun } from '../../../domain/deploy/target.ts';
import type { GithubDeployment, GithubTargetConfig } from '../../../domain/deploy/targets/github.ts';
import { oneLine } from '../../one-line.ts';
import { path, type Rest } from '../../rest/client.ts';
import { RestProblem } from '../../rest/problem.ts';
import { unlessCancelled } from '../http/failure.ts';
import { fill, markerOf, valuesOf } from '../http/fill.ts';
import { follow, type Look } from '../http/follow.ts';
import { once } from '../http/once.ts';
import {
  type DeploymentHandle,
  type DeploymentStatus,
  noteOf,
  parseDeployment,
  parseDeployments,
  parseStatuses,
} from './schema.ts';

export interface DeploymentOptions {
  readonly rest: Rest;
  readonly config: GithubTargetConfig;
  readonly how: GithubDeployment;
  readonly clock: Clock;
  readonly firstWaitMs?: number;
}

const PATIENCE_MS = 10 * 60_000;
const LOOKS_MS = [1_000, 2_000, 4_000];

export async function createDeployment(
  options: DeploymentOptions,
  request: TargetRequest,
  run: TargetRun,
): Promise<TargetOutcome> {
  const { rest, config, how, clock } = options;
  const startedAt = clock.now();
  const marker = markerOf(request, startedAt);
  const handle: DeploymentHandle = { mode: 'deployment', marker, startedAt };
  await run.remember(handle);
  const { version } = request;
  run.progress({ text: `Creating a deployment of ${version}` });
  const id = await once({
    async send() {
      const answer = await rest.ask({
        method: 'POST',
        path: path`/repos/${config.owner}/${config.repository}/deployments`,
        body: {
          ref: version,
          task: how.task,
          auto_merge: false,
          environment: fill(config.environment, valuesOf(request, marker)),
          description: `Deployment ${request.deployment} of ${request.service}, asked for in chat`.slice(0, 140),
          payload: { shipmate: { marker, version } },
          ...(how.requiredContexts === undefined ? {} : { required_contexts: how.requiredContexts }),
        },
        patienceMs: PATIENCE_MS,
        signal: run.signal,
        advice: {
          403: 'the token needs the permission “Deployments: write”',
          404: `check the repository in config/services.yaml, and that the token has the permission “Deployments: write”`,
          409: `checks of ${version} have not passed; look at them on GitHub, or name those that count under required_contexts`,
          422: `check that ${version} is a branch, tag or commit of ${config.owner}/${config.repository}`,
        },
      });
      return parseDeployment(answer.data).id;
    },
    find: async (signal) => await find(options, request, marker, signal),
    clock,
    signal: run.signal,
  });
  await run.remember({ ...handle, deployment: id });
  // Nobody needs this status to carry it out: without it the rollout goes on all the same.
  await report(options, id, 'queued', `Asked for in chat, deployment ${request.deployment}`).catch((error: unknown) => {
    if (!(error instanceof RestProblem)) throw error;
    run.output(`GitHub did not take the status “queued”: ${error.message}`);
  });
  return await followDeployment(options, id, handle, run);
}

/** Takes up what another process began. */
export async function resumeDeployment(
  options: DeploymentOptions,
  request: TargetRequest,
  handle: DeploymentHandle,
  run: TargetRun,
): Promise<TargetOutcome> {
  const signal = unlessCancelled(run.signal);
  let id = handle.deployment;
  for (const wait of LOOKS_MS) {
    if (id !== undefined) break;
    await options.clock.sleep(wait, signal);
    id = await find(options, request, handle.marker, signal);
  }
  if (id === undefined) {
    return { kind: 'interrupted', text: 'the robot was stopped before GitHub had created the deployment' };
  }
  if (handle.deployment === undefined) await run.remember({ ...handle, deployment: id });
  return await followDeployment(options, id, handle, run);
}

/** The deployment that holds the marker. */
async function find(
  { rest, config }: DeploymentOptions,
  request: TargetRequest,
  marker: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const answer = await rest.ask({
    path: path`/repos/${config.owner}/${config.repository}/deployments`,
    query: { environment: fill(config.environment, valuesOf(request, marker)), per_page: 30 },
    patienceMs: PATIENCE_MS,
    signal,
  });
  return parseDeployments(answer.data).find((one) => noteOf(one)?.marker === marker)?.id;
}

/** Adds a status. That one is there twice does no harm. */
async function report(
  { rest, config }: DeploymentOptions,
  id: number,
  state: string,
  description: string,
): Promise<void> {
  await rest.ask({
    method: 'POST',
    path: path`/repos/${config.owner}/${config.repository}/deployments/${id}/statuses`,
    body: { state, description: description.slice(0, 140), auto_inactive: state === 'success' },
    repeatable: true,
    patienceMs: 60_000,
    advice: { 403: 'the token needs the permission “Deployments: write”' },
  });
}

async function followDeployment(
  options: DeploymentOptions,
  id: number,
  handle: DeploymentHandle,
  run: TargetRun,
): Promise<TargetOutcome> {
  const { rest, config, clock } = options;
  const lookAtStatuses = rest.watch({
    path: path`/repos/${config.owner}/${config.repository}/deployments/${id}/statuses`,
    query: { per_page: 30 },
    patienceMs: 60_000,
  });
  let shown = '';

  async function look(signal: AbortSignal): Promise<Look> {
    const statuses = parseStatuses((await lookAtStatuses(signal)).data);
    // What was a success becomes inactive as soon as something newer is one: docs.github.com/rest/deployments/deployments.
    const ends = statuses.filter(({ state }) => ['success', 'failure', 'error', 'inactive'].includes(state));
    const end = ends.find(({ state }) => state !== 'inactive') ?? ends[0];
    const latest = end ?? statuses[0];
    const text = latest === undefined ? 'Waiting for somebody to carry it out' : inWords(latest);
    const changed = text !== shown;
    if (changed && end === undefined) run.progress({ text });
    shown = text;
    return end === undefined ? { changed } : { changed, outcome: outcomeOf(end) };
  }

  return await follow({
    name: 'GitHub',
    look,
    async stop(why) {
      await report(options, id, 'error', why === 'cancel' ? 'Cancelled in chat' : 'Nobody reported an end in time');
      return 'told';
    },
    run,
    clock,
    startedAt: handle.startedAt,
    timeoutMs: config.timeoutMs,
    ...(options.firstWaitMs === undefined ? {} : { firstWaitMs: options.firstWaitMs }),
  });
}

function inWords({ state, description }: DeploymentStatus): string {
  const words: Readonly<Record<string, string>> = { queued: 'Queued', pending: 'Pending', in_progress: 'In progress' };
  const first = words[state] ?? `State ${oneLine(state)}`;
  return description === undefined || description === null || description === ''
    ? first
    : `${first}: ${oneLine(description)}`;
}

function outcomeOf({ state, description, log_url, target_url }: DeploymentStatus): TargetOutcome {
  if (state === 'success') return { kind: 'succeeded' };
  const said =
    description === undefined || description === null || description === '' ? '' : `: ${oneLine(description)}`;
  const url = log_url ?? target_url ?? '';
  const link = url === '' ? '' : ` (${oneLine(url)})`;
  return { kind: 'failed', code: state, text: `GitHub was told of the state ${oneLine(state)}${said}${link}` };
}
