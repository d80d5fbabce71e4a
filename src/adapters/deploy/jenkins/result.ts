/** How a build ended, in words. */

import type { TargetOutcome } from '../../../domain/deploy/target.ts';

/**
 * @param result as https://javadoc.jenkins.io/hudson/model/Result.html has them
 * @param name of the build, with its address
 */
export function outcomeOf(result: string, name: string): TargetOutcome {
  switch (result) {
    case 'SUCCESS':
      return { kind: 'succeeded' };
    case 'UNSTABLE':
      return { kind: 'failed', code: 'unstable', text: `${name} ended as unstable: a test or a check of it failed` };
    case 'FAILURE':
      return { kind: 'failed', code: 'failure', text: `${name} failed` };
    case 'ABORTED':
      return { kind: 'failed', code: 'aborted', text: `${name} was aborted in Jenkins` };
    case 'NOT_BUILT':
      return { kind: 'failed', code: 'not_built', text: `${name} was not built: a stage before it ended the job` };
    default:
      return { kind: 'failed', code: 'result', text: `${name} ended as ${result.slice(0, 40)}` };
  }
}
