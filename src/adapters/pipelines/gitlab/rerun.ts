/** Running a pipeline of GitLab again. https://docs.gitlab.com/api/pipelines/#retry-jobs-in-a-pipeline */

import { z } from 'zod';
import type { RerunPlace } from '../../../domain/pipelines/access.ts';
import type { Repeated } from '../../../domain/pipelines/rerun.ts';
import { path, type Rest } from '../../rest/client.ts';
import { RestProblem } from '../../rest/problem.ts';

const pipeline = z.object({ status: z.string(), source: z.string().nullish() });

const ADVICE = {
  403: 'the token needs the scope api, and its owner the role Developer at least',
  404: 'it is no longer there, or the token may not see that project',
} as const;

/** Ways in which the robot starts pipelines. https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable */
const STARTED_BY_API: readonly unknown[] = ['api', 'trigger'];

/** @throws RestProblem */
export async function rerunGitlab(
  rest: Rest,
  { project, run, deploys }: Extract<RerunPlace, { kind: 'gitlab' }>,
  all: boolean,
): Promise<Repeated> {
  const at = path`/projects/${project}/pipelines/${run}`;
  const parsed = pipeline.safeParse((await rest.ask({ path: at, advice: ADVICE })).data);
  if (!parsed.success) throw new RestProblem('unreadable', 'what GitLab answered is no pipeline; check `url`');
  const { status, source } = parsed.data;
  if (deploys && STARTED_BY_API.includes(source)) return { kind: 'own' };
  if (status === 'success' || status === 'skipped') {
    if (!all) return { kind: 'passed' };
    const text = 'GitLab repeats only jobs that failed or were cancelled; start a new pipeline there';
    return { kind: 'refused', text, unsure: false };
  }
  if (status !== 'failed' && status !== 'canceled') return { kind: 'running' };
  await rest.ask({ method: 'POST', path: `${at}/retry`, advice: ADVICE });
  return { kind: 'asked', what: 'the jobs that failed or were cancelled run again' };
}
