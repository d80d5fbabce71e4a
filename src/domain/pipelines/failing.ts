/** Which job is to blame for a run that failed. */

import type { PipelineJob } from './ports.ts';

/** The first job that failed; of a job that was repeated under the same name, the last counts. */
export function failingJob(jobs: readonly PipelineJob[]): PipelineJob | undefined {
  const latest = new Map<string, PipelineJob>();
  for (const job of jobs) latest.set(`${job.stage ?? ''}/${job.name}`, job);
  return [...latest.values()].find(({ state }) => state === 'failed');
}
