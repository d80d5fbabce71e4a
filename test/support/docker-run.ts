/** One rollout of the target docker, with all that it tells. */

import type { ProgressStep, Target, TargetOutcome } from '../../src/domain/deploy/target.ts';

export interface Rolled {
  readonly outcome: TargetOutcome;
  readonly lines: readonly string[];
  readonly steps: readonly ProgressStep[];
  readonly handles: readonly object[];
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
  const [lines, steps, handles]: [string[], ProgressStep[], object[]] = [[], [], []];
  const request = { deployment, service, environment: 'staging', version };
  const run = {
    signal: signal ?? new AbortController().signal,
    async remember(found: object) {
      handles.push(found);
      await onHandle?.(found);
    },
    progress(step: ProgressStep) {
      steps.push(step);
      onStep?.(step);
    },
    output(line: string) {
      lines.push(line);
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
