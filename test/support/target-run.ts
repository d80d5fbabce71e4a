/** What a target is given for one rollout, with all that it says kept. */

import type { ProgressStep, TargetRequest, TargetRun } from '../../src/domain/deploy/ports.ts';

export const request: TargetRequest = { deployment: 12, service: 'web', environment: 'staging', version: 'v2' };

export interface NotedRun extends TargetRun {
  readonly stop: AbortController;
  readonly handles: object[];
  readonly steps: ProgressStep[];
  readonly lines: string[];
  /** The texts of the steps. */
  told(): readonly string[];
}

/** `onStep` sees each text as it comes. */
export function notedRun(onStep: (text: string, run: NotedRun) => void = () => undefined): NotedRun {
  const stop = new AbortController();
  const noted: NotedRun = {
    stop,
    signal: stop.signal,
    handles: [],
    steps: [],
    lines: [],
    // As the database would give it back.
    remember: async (handle) => void noted.handles.push(JSON.parse(JSON.stringify(handle))),
    progress(step) {
      noted.steps.push(step);
      if (step.text !== undefined) onStep(step.text, noted);
    },
    output: (line) => void noted.lines.push(line),
    told: () => noted.steps.flatMap(({ text }) => (text === undefined ? [] : [text])),
  };
  return noted;
}
