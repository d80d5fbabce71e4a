/** The console of a build, told line by line while it grows. */

import type { TargetRun } from '../../../domain/deploy/target.ts';
import { isPassing, RestProblem, wasCut } from '../../rest/problem.ts';
import { END_BYTES, MOST_TOLD_BYTES } from '../http/most.ts';
import { createLines } from '../lines.ts';
import type { Jenkins } from './api.ts';

export interface Console {
  /** How much of it was told, as Jenkins counts. */
  told(): number;
  /** Tells what is new. Passing trouble is left for the next time. */
  read(): Promise<{ readonly more: boolean; readonly trouble: boolean }>;
  /** Tells the end of what was too long, and the last line. */
  end(): Promise<void>;
}

/** @param start where it begins, as an earlier process left it */
export function createConsole(
  jenkins: Pick<Jenkins, 'log'>,
  number: number,
  start: number,
  run: Pick<TargetRun, 'output'>,
  mostBytes = MOST_TOLD_BYTES,
): Console {
  const lines = createLines(run.output);
  let from = start;
  /** Bytes behind `from` that were told before the connection was cut. */
  let ahead = 0;
  let left = mostBytes;
  let tooLong = false;
  let unreadable = false;

  return {
    told: () => from,
    async read() {
      if (tooLong || unreadable) return { more: false, trouble: false };
      let skip = ahead;
      try {
        const part = await jenkins.log(number, from, left + skip, (piece) => {
          const rest = piece.subarray(Math.min(skip, piece.length));
          skip -= piece.length - rest.length;
          ahead += rest.length;
          left -= rest.length;
          if (rest.length > 0) lines.write(rest);
        });
        tooLong = !part.whole;
        if (part.whole) from = part.next;
        ahead = 0;
        return { more: part.more, trouble: false };
      } catch (error) {
        if (!(error instanceof RestProblem)) throw error;
        if (wasCut(error) || isPassing(error)) return { more: true, trouble: true };
        // The build goes on, whoever may read what it says.
        run.output(`The console cannot be read: ${error.message}`);
        unreadable = true;
        return { more: false, trouble: false };
      }
    },
    async end() {
      lines.end();
      if (!tooLong) return;
      run.output('… the console is too long to be told as a whole; this is its end …');
      const { next } = await jenkins.log(number, from, 0, () => undefined);
      const tail = createLines(run.output);
      await jenkins.log(number, Math.max(from, next - END_BYTES), END_BYTES, tail.write);
      tail.end();
    },
  };
}
