/** One rollout of the target docker, with all that it tells. */

import type { ProgressStep, Target, TargetOutcome, TargetRun } from '../../src/domain/deploy/target.ts';
import { type RecordedRun, recordedRun } from './recorded-run.ts';

export interface Rolled extends Pick<RecordedRun, 'lines' | 'steps' | 'handles'> {
  readonly outcome: TargetOutcome;
}

export interface RollOptions {
  readonly signal?: AbortSignal;
  /** Of another process: the rollout is taken up. */
  readonly handle?: unknown;
  readonly service?: string;
  readonly onLine?: (line: string) => void;
  readonly onStep?: (step: ProgressStep) => void;
  readonly onHandle?: (handle: object) => Promise<void>;
}

/** Rolls a version of the service `web` out to `staging`. */
export async function roll(
  target: Target,
  version: string,
  deployment: number,
  { signal, handle, service = 'web', onLine, onStep, onHandle }: RollOptions = {},
): Promise<Rolled> {
  const kept = recordedRun();
  const { lines, steps, handles } = kept;
  const request = { deployment, service, environment: 'staging', version };
  const run: TargetRun = {
    signal: signal ?? kept.signal,
    async remember(found) {
      await kept.remember(found);
      await onHandle?.(found);
    },
    progress(step) {
      kept.progress(step);
      onStep?.(step);
    },
    output(line) {
      kept.output(line);
      onLine?.(line);
    },
  };
  if (handle === undefined) return { outcome: await target.deploy(request, run), lines, steps, handles };
  if (!target.resume) throw new Error('it cannot resume');
  return { outcome: await target.resume(request, handle, run), lines, steps, handles };
}

/** What it says of a failure or a cancel. */
export function textOf(outcome: TargetOutcome): string {
  return outcome.kind === 'succeeded' ? 'succeeded' : outcome.text;
}
