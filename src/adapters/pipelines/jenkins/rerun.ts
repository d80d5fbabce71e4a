/**
 * Building a job of Jenkins again with the parameters of an earlier build. That takes no plugin and every kind of job has it;
 * the build takes the newest commit of its branch. https://www.jenkins.io/doc/book/using/remote-access-api/
 */

import { z } from 'zod';
import type { RerunPlace } from '../../../domain/pipelines/access.ts';
import type { Repeated } from '../../../domain/pipelines/rerun.ts';
import { createJenkins, jobPath } from '../../deploy/jenkins/api.ts';
import type { Rest } from '../../rest/client.ts';
import { RestProblem } from '../../rest/problem.ts';

const build = z.object({
  building: z.boolean(),
  result: z.string().nullish(),
  actions: z
    .array(
      z
        .object({ parameters: z.array(z.object({ name: z.string(), value: z.unknown().optional() })).nullish() })
        .nullable()
        .catch(null),
    )
    .nullish(),
});

const TREE = 'building,result,actions[parameters[name,value]]';
const ADVICE = {
  403: 'that user needs Job/Read and Job/Build for this job',
  404: 'it is no longer there, or that user may not read it; check `jobs`',
} as const;

/** @throws RestProblem */
export async function rerunJenkins(
  rest: Rest,
  { job, run }: Extract<RerunPlace, { kind: 'jenkins' }>,
  all: boolean,
): Promise<Repeated> {
  const at = `${jobPath(job)}/${run}/api/json`;
  const parsed = build.safeParse((await rest.ask({ path: at, query: { tree: TREE }, advice: ADVICE })).data);
  if (!parsed.success) throw new RestProblem('unreadable', 'what Jenkins answered is no build; check `url`');
  if (parsed.data.building) return { kind: 'running' };
  if (parsed.data.result === 'SUCCESS' && !all) return { kind: 'passed' };
  const given = (parsed.data.actions ?? []).flatMap((action) => action?.parameters ?? []);
  const hidden = given.filter(({ value }) => !isShown(value)).map(({ name }) => name);
  if (hidden.length > 0) {
    const text = `Jenkins does not say what the parameter ${hidden.join(', ')} was, as it does with secrets and files; build it again there`;
    return { kind: 'refused', text, unsure: false };
  }
  const parameters = given.map(({ name, value }) => [name, String(value)] as const);
  await createJenkins(rest, job).rebuild(parameters.length > 0 ? Object.fromEntries(parameters) : undefined);
  const same = parameters.length > 0 ? ' with the same parameters' : '';
  return { kind: 'asked', what: `the job is built again${same}, as a new build` };
}

function isShown(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
