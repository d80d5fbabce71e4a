/** Running a pipeline again: which run is meant, whether that may be done, and only once. */

import { type PipelineService, placeOf, type RerunPlace } from './access.ts';
import type { PipelineStore, RecordedRun, RerunBy, RunState, ShownRun } from './ports.ts';

/** What a server answers that is asked to run something again. */
export type Repeated =
  /** `what`: which part of it runs again, as a clause. */
  | { readonly kind: 'asked'; readonly what: string }
  /** It has not ended. */
  | { readonly kind: 'running' }
  /** Nothing in it failed. */
  | { readonly kind: 'passed' }
  /** It is how the robot itself deploys. */
  | { readonly kind: 'own' }
  /** A clause that says why not, and what to do. `unsure`: it may have begun all the same. */
  | { readonly kind: 'refused'; readonly text: string; readonly unsure: boolean };

export type Rerun =
  | { readonly kind: 'asked'; readonly run: ShownRun; readonly what: string }
  /** No run like that failed. */
  | { readonly kind: 'nothing' }
  /** Several did, and none was named. */
  | { readonly kind: 'which'; readonly runs: readonly ShownRun[] }
  | { readonly kind: 'running' | 'passed' | 'deployment' | 'no-access'; readonly run: ShownRun }
  | { readonly kind: 'own'; readonly run: ShownRun; readonly service?: string }
  /** Somebody has asked for it a moment ago. */
  | { readonly kind: 'again'; readonly run: ShownRun; readonly by: RerunBy }
  | { readonly kind: 'refused'; readonly run: ShownRun; readonly text: string };

export interface RerunPorts {
  readonly services: readonly PipelineService[];
  readonly store: Pick<PipelineStore, 'claim' | 'release'>;
  /** Asks the server. `all`: every job, not only those that failed. */
  repeat(place: RerunPlace, all: boolean): Promise<Repeated>;
}

export interface RerunWish {
  readonly all: boolean;
  /** The name of who asks. */
  readonly by: string;
  readonly now: Date;
}

/** So long nobody else can ask for the same run: by then the server has said that it runs. */
const CLAIM_MS = 2 * 60_000;

const ENDED: readonly RunState[] = ['succeeded', 'failed', 'cancelled', 'skipped'];

/**
 * Of the last runs, latest first, those that failed or were cancelled and were not followed by another of the same name and branch.
 */
export function failedOf<R extends RecordedRun>(runs: readonly R[]): readonly R[] {
  const seen = new Set<string>();
  return runs.filter((run) => {
    if (run.kind !== 'pipeline') return false;
    const key = JSON.stringify([run.source, run.repository, run.name, run.branch]);
    const isLatest = !seen.has(key);
    seen.add(key);
    return isLatest && (run.state === 'failed' || run.state === 'cancelled');
  });
}

/** Whether a button that runs it again is worth showing. */
export function canRerun(run: RecordedRun, services: readonly PipelineService[]): boolean {
  return (
    run.kind === 'pipeline' &&
    (run.state === 'failed' || run.state === 'cancelled') &&
    placeOf(run, services).kind === 'place'
  );
}

/** Asks the server to run it again, unless that was done a moment ago. */
export async function rerun(ports: RerunPorts, run: ShownRun, { all, by, now }: RerunWish): Promise<Rerun> {
  if (run.kind === 'deployment') return { kind: 'deployment', run };
  const found = placeOf(run, ports.services);
  if (found.kind === 'no-access') return { kind: 'no-access', run };
  if (found.kind === 'own') return { kind: 'own', run, service: found.service };
  if (!ENDED.includes(run.state)) return { kind: 'running', run };
  if (run.state === 'succeeded' && !all) return { kind: 'passed', run };
  const other = await ports.store.claim(run.id, { by, at: now }, new Date(now.getTime() - CLAIM_MS));
  if (other) return { kind: 'again', run, by: other };
  let answer: Repeated | undefined;
  try {
    answer = await ports.repeat(found.place, all);
  } finally {
    // What may have begun stays claimed: nobody shall ask for it a second time by mistake.
    if (answer && answer.kind !== 'asked' && !(answer.kind === 'refused' && answer.unsure)) {
      await ports.store.release(run.id);
    }
  }
  if (answer.kind === 'asked') return { kind: 'asked', run, what: answer.what };
  if (answer.kind === 'refused') return { kind: 'refused', run, text: answer.text };
  return { kind: answer.kind, run };
}
