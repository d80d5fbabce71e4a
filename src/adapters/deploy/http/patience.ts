/** Trouble that passes does not end a rollout that goes on by itself, until its time is over. */

import type { TargetRun } from '../../../domain/deploy/target.ts';
import { isPassing, RestProblem } from '../../rest/problem.ts';

export type Answered<T> = { readonly kind: 'answer'; readonly value: T } | { readonly kind: 'trouble' };

export interface Patience {
  readonly run: Pick<TargetRun, 'progress'>;
  /** What goes on meanwhile: `the build`. */
  readonly what: string;
  /** Milliseconds that it still has. */
  left(): number;
}

/** @throws RestProblem what asking again will not mend, and everything once the time is over */
export async function patiently<T>({ run, what, left }: Patience, ask: () => Promise<T>): Promise<Answered<T>> {
  try {
    return { kind: 'answer', value: await ask() };
  } catch (error) {
    if (!isPassing(error) || left() === 0 || !(error instanceof RestProblem)) throw error;
    run.progress({ text: `No answer just now, ${what} goes on: ${error.message}` });
    return { kind: 'trouble' };
  }
}
