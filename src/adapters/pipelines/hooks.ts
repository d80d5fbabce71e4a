/** Which hooks of pipelines are open: those whose secret is known. */

import type { Hook } from '../../bot/hooks.ts';
import type { Pipelines } from '../../domain/pipelines/ports.ts';
import { githubHook } from './github/hook.ts';
import { gitlabHook } from './gitlab/hook.ts';
import { jenkinsHook } from './jenkins/hook.ts';

export interface PipelineSecrets {
  readonly github: string | undefined;
  readonly gitlabToken: string | undefined;
  readonly gitlabSigningToken: string | undefined;
  /** Without it, the common token opens the hook of Jenkins. */
  readonly jenkins: string | undefined;
}

export function pipelineHooks(
  pipelines: Pick<Pipelines, 'record'>,
  secrets: PipelineSecrets,
  now: () => Date,
): readonly Hook[] {
  const { github, gitlabToken: token, gitlabSigningToken: signingToken, jenkins } = secrets;
  const hooks = [jenkinsHook(pipelines, jenkins)];
  if (github !== undefined) hooks.push(githubHook(pipelines, github));
  if (token !== undefined || signingToken !== undefined)
    hooks.push(gitlabHook(pipelines, { token, signingToken }, now));
  return hooks;
}
