/** What a target is given for one rollout, with all that it says kept for tests. */

import type { ProgressStep, TargetRequest, TargetRun } from '../../src/domain/deploy/target.ts';

export const REQUEST: TargetRequest = { deployment: 42, service: 'web', environment: 'staging', version: 'v2' };

export interface RecordedRun extends TargetRun {
  readonly lines: string[];
  readonly steps: ProgressStep[];
  /** The texts of the steps. */
  readonly texts: string[];
  readonly percents: number[];
  /** What was remembered, as the database would give it back. */
  readonly handles: object[];
  /** `cancel`, or anything else: the robot stops. */
  abort(reason: string): void;
}

/** @param heard called with each text of a step, to do something at that moment */
export function recordedRun(heard: (text: string, run: RecordedRun) => void = () => undefined): RecordedRun {
  const stop = new AbortController();
  const run: RecordedRun = {
    lines: [],
    steps: [],
    texts: [],
    percents: [],
    handles: [],
    abort: (reason) => stop.abort(reason),
    signal: stop.signal,
    remember: async (handle) => void run.handles.push(JSON.parse(JSON.stringify(handle))),
    progress(step) {
      run.steps.push(step);
      if (step.text !== undefined) run.texts.push(step.text);
      if (step.percent !== undefined) run.percents.push(step.percent);
      if (step.text !== undefined) heard(step.text, run);
    },
    output: (line) => void run.lines.push(line),
  };
  return run;
}
