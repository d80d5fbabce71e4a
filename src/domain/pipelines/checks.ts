/** What pipelines say of a commit: each run, and each of its jobs, is a check by its name. */

import type { Check, CheckState } from '../deploy/source.ts';
import type { JobState, RecordedRun } from './ports.ts';

const STATES: Readonly<Record<JobState, CheckState>> = {
  queued: 'running',
  waiting: 'running',
  running: 'running',
  succeeded: 'passed',
  failed: 'failed',
  cancelled: 'failed',
  skipped: 'skipped',
  tolerated: 'tolerated',
};

/** @param runs of one commit, latest first: of a pipeline that ran again, the latest run counts */
export function checksOf(runs: readonly RecordedRun[]): readonly Check[] {
  const latest = new Map<string, RecordedRun>();
  for (const run of runs) {
    const key = `${run.source} ${run.name}`;
    if (run.kind === 'pipeline' && !latest.has(key)) latest.set(key, run);
  }
  return [...latest.values()].flatMap((run) => [checkOf(run), ...jobsOf(run)]);
}

/** Of a job that was repeated under the same name, the last counts. */
function jobsOf({ jobs }: RecordedRun): readonly Check[] {
  return [...new Map(jobs.map((job) => [`${job.stage ?? ''}/${job.name}`, checkOf(job)])).values()];
}

function checkOf({
  name,
  state,
  url,
}: {
  readonly name: string;
  readonly state: JobState;
  readonly url?: string;
}): Check {
  return { name, state: STATES[state], ...(url === undefined ? {} : { url }) };
}
