/**
 * Running a workflow run of GitHub again.
 * https://docs.github.com/en/rest/actions/workflow-runs#re-run-failed-jobs-from-a-workflow-run
 */

import { z } from 'zod';
import type { RerunPlace } from '../../../domain/pipelines/access.ts';
import type { Repeated } from '../../../domain/pipelines/rerun.ts';
import { path, type Rest } from '../../rest/client.ts';
import { RestProblem } from '../../rest/problem.ts';

const workflowRun = z.object({
  status: z.string().nullish(),
  conclusion: z.string().nullish(),
  event: z.string().nullish(),
  /** `.github/workflows/deploy.yml`, with `@refs/…` behind it on some servers. */
  path: z.string().nullish(),
  workflow_id: z.number().nullish(),
});

const ADVICE = {
  403: 'the token needs the right to write Actions of that repository; runs older than 30 days cannot be run again, and some that were cancelled only with --all',
  404: 'it is no longer there, or the token may not see that repository',
} as const;

/** Nothing to repeat in them. */
const PASSED: readonly unknown[] = ['success', 'neutral', 'skipped'];
/** Of these, GitHub repeats what did not succeed; of others, such as a run that never began, only all of it. */
const PARTLY: readonly unknown[] = ['failure', 'timed_out', 'cancelled'];

/** @throws RestProblem */
export async function rerunGithub(
  rest: Rest,
  { repository, run, deploys }: Extract<RerunPlace, { kind: 'github' }>,
  all: boolean,
): Promise<Repeated> {
  const [owner = '', name = ''] = repository.split('/');
  const at = path`/repos/${owner}/${name}/actions/runs/${run}`;
  const parsed = workflowRun.safeParse((await rest.ask({ path: at, advice: ADVICE })).data);
  if (!parsed.success) throw new RestProblem('unreadable', 'what GitHub answered is no workflow run; check `url`');
  const { status, conclusion, event, path: file, workflow_id: workflow } = parsed.data;
  const own = [file?.replace(/@.*$/s, '').split('/').at(-1), workflow?.toString()];
  if (deploys.workflows.some((each) => own.includes(each)) || (deploys.deployments && event === 'deployment')) {
    return { kind: 'own' };
  }
  if (status !== 'completed') return { kind: 'running' };
  if (!all && PASSED.includes(conclusion)) return { kind: 'passed' };
  const whole = all || !PARTLY.includes(conclusion);
  await rest.ask({ method: 'POST', path: `${at}/${whole ? 'rerun' : 'rerun-failed-jobs'}`, advice: ADVICE });
  return {
    kind: 'asked',
    what: whole ? 'all its jobs run again' : 'the jobs that failed, and those after them, run again',
  };
}
