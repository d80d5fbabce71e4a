/** What a target tells while it rolls out, kept for tests. */

import type { ProgressStep, TargetRequest, TargetRun } from '../../src/domain/deploy/ports.ts';

export interface RecordedRun {
  readonly run: TargetRun;
  readonly lines: string[];
  /** Texts of steps. */
  readonly steps: string[];
  readonly percents: number[];
  /** The latest that was remembered. */
  handle(): unknown;
  /** `cancel`, or anything else: the robot stops. */
  abort(reason: string): void;
}

export const REQUEST: TargetRequest = { deployment: 42, service: 'web', environment: 'staging', version: 'v2' };

/** @param heard called with each text of a step, to do something at that moment */
export function recordedRun(heard: (text: string) => void = () => undefined): RecordedRun {
  const stop = new AbortController();
  const lines: string[] = [];
  const steps: string[] = [];
  const percents: number[] = [];
  let handle: unknown;
  return {
    lines,
    steps,
    percents,
    handle: () => handle,
    abort: (reason) => stop.abort(reason),
    run: {
      signal: stop.signal,
      async remember(found) {
        handle = structuredClone(found);
      },
      progress({ text, percent }: ProgressStep) {
        if (text !== undefined) steps.push(text);
        if (percent !== undefined) percents.push(percent);
        if (text !== undefined) heard(text);
      },
      output: (line) => lines.push(line),
    },
  };
}
