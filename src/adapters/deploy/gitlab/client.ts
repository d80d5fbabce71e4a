/** The target `gitlab`: pipelines and what they deployed. See docs/guide/targets/gitlab.md. */

import type { Target, TargetOutcome, TargetRequest, TargetRun } from '../../../domain/deploy/target.ts';
import type { GitlabTargetConfig } from '../../../domain/deploy/targets/gitlab.ts';
import { systemClock } from '../../clock.ts';
import { gitlabRest } from '../../servers.ts';
import { untilSeen } from '../http/catchup.ts';
import { fill } from '../http/fill.ts';
import type { HttpTargetOptions } from '../http/options.ts';
import { clearly, outcomeOf } from '../http/outcome.ts';
import { liveOn, versionsOf } from './live.ts';
import { resumePipeline, runPipeline } from './pipeline.ts';
import { parseHandle } from './schema.ts';

export function createGitlabTarget({
  service,
  config,
  environment,
  clock = systemClock,
}: HttpTargetOptions<GitlabTargetConfig>): Target {
  const rest = gitlabRest(config, { environment, clock });
  const { triggerFrom } = config;
  const trigger = triggerFrom === undefined ? undefined : environment[triggerFrom];
  const options = { rest, config, trigger, clock };
  const live = (place: string) => liveOn(rest, config, fill(config.environment, { service, environment: place }));

  async function begin(request: TargetRequest, run: TargetRun): Promise<TargetOutcome> {
    if (triggerFrom !== undefined && (trigger === undefined || trigger === '')) {
      const text = `the variable ${triggerFrom} is not set, so there is no trigger token for GitLab; set it and start the robot again`;
      return { kind: 'failed', code: 'no_token', text };
    }
    return await runPipeline(options, request, run);
  }

  async function goOn(raw: unknown, run: TargetRun): Promise<TargetOutcome> {
    const handle = parseHandle(raw);
    if (handle !== undefined) return await resumePipeline(options, handle, run);
    return { kind: 'interrupted', text: 'the target was changed in config/services.yaml while it ran' };
  }

  const seen = (request: TargetRequest, run: TargetRun, work: () => Promise<TargetOutcome>) =>
    untilSeen({ request, run, current: () => live(request.environment), clock }, work);

  return {
    kind: 'gitlab',
    deploy: (request, run) => outcomeOf(run, () => seen(request, run, () => begin(request, run))),
    resume: (request, handle, run) => outcomeOf(run, () => seen(request, run, () => goOn(handle, run))),
    current: (_service, place) => clearly(() => live(place)),
    versions: () => clearly(() => versionsOf(rest, config)),
    settle: async () => undefined,
  };
}
