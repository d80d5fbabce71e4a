/** The target `github`: workflows of Actions, and Deployments. See docs/guide/targets/github.md. */

import type { Target, TargetOutcome, TargetRequest, TargetRun } from '../../../domain/deploy/target.ts';
import type { GithubTargetConfig } from '../../../domain/deploy/targets/github.ts';
import { systemClock } from '../../clock.ts';
import { githubRest } from '../../servers.ts';
import { untilSeen } from '../http/catchup.ts';
import { fill } from '../http/fill.ts';
import type { HttpTargetOptions } from '../http/options.ts';
import { clearly, outcomeOf } from '../http/outcome.ts';
import { createDeployment, resumeDeployment } from './deployment.ts';
import { liveOn, versionsOf } from './live.ts';
import { parseHandle } from './schema.ts';
import { resumeWorkflow, runWorkflow } from './workflow.ts';

export function createGithubTarget({
  service,
  config,
  environment,
  clock = systemClock,
}: HttpTargetOptions<GithubTargetConfig>): Target {
  const { how } = config;
  const rest = githubRest(config, { environment, clock });

  const live = (place: string) => liveOn(rest, config, fill(config.environment, { service, environment: place }));

  function begin(request: TargetRequest, run: TargetRun): Promise<TargetOutcome> {
    return how.mode === 'workflow'
      ? runWorkflow({ rest, config, how, clock }, request, run)
      : createDeployment({ rest, config, how, clock }, request, run);
  }

  async function goOn(request: TargetRequest, raw: unknown, run: TargetRun): Promise<TargetOutcome> {
    const handle = parseHandle(raw);
    if (handle?.mode === 'workflow' && how.mode === 'workflow') {
      return await resumeWorkflow({ rest, config, how, clock }, handle, run);
    }
    if (handle?.mode === 'deployment' && how.mode === 'deployment') {
      return await resumeDeployment({ rest, config, how, clock }, request, handle, run);
    }
    return { kind: 'interrupted', text: 'the target was changed in config/services.yaml while it ran' };
  }

  const seen = (request: TargetRequest, run: TargetRun, work: () => Promise<TargetOutcome>) =>
    untilSeen({ request, run, current: () => live(request.environment), clock }, work);

  return {
    kind: 'github',
    deploy: (request, run) => outcomeOf(run, () => seen(request, run, () => begin(request, run))),
    resume: (request, handle, run) => outcomeOf(run, () => seen(request, run, () => goOn(request, handle, run))),
    current: (_service, place) => clearly(() => live(place)),
    versions: () => clearly(() => versionsOf(rest, config)),
    settle: async () => undefined,
  };
}
