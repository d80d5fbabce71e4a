/** What pipelines say of a commit: each run, and each of its jobs, is a check by its name. */

import { type Check, type CheckState, SourceUnclear } from '../deploy/source.ts';
import type { JobState, PipelineSource, PipelineStore, RecordedRun } from './ports.ts';

/** Runs of one commit that are looked at. */
const LOOKED_AT = 100;

/**
 * The checks of a commit, of those whose word counts for that.
 *
 * @param trusted whose hooks have a secret of their own
 * @throws SourceUnclear if only others told of any
 */
export async function reportedChecks(
  store: Pick<PipelineStore, 'runs'>,
  { repository, commit }: { readonly repository: string; readonly commit: string },
  trusted: readonly PipelineSource[],
): Promise<readonly Check[]> {
  const wanted = { kind: 'pipeline', repositories: [repository], commit } as const;
  const runs = await store.runs({ ...wanted, sources: trusted, limit: LOOKED_AT });
  if (runs.length === 0 && (await store.runs({ ...wanted, limit: 1 })).length > 0) {
    throw new SourceUnclear(
      'only Jenkins told of any, and whoever may send alerts could say the same: set SHIPMATE_JENKINS_TOKEN, and give it to Jenkins',
    );
  }
  return checksOf(runs);
}

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
