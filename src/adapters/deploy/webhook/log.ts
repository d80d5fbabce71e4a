/** A log that grows, read in parts: `Range: bytes=<n>-`, https://www.rfc-editor.org/rfc/rfc9110#name-range. */

import type { TargetRun } from '../../../domain/deploy/target.ts';
import type { StreamEnd } from '../../rest/client.ts';
import { isPassing, RestProblem, wasCut } from '../../rest/problem.ts';
import { END_BYTES, MOST_TOLD_BYTES } from '../http/most.ts';
import { createLines } from '../lines.ts';

export type ReadPart = (
  range: string,
  mostBytes: number,
  take: (piece: Buffer, status: number) => void,
) => Promise<StreamEnd>;

export interface GrowingLog {
  /** Bytes that were told. */
  told(): number;
  /** Tells what is new. Passing trouble is left for the next time; true if there was none. */
  read(): Promise<boolean>;
  /** Tells the end of what was too long, and the last line. */
  end(): Promise<void>;
}

/** @param start where it begins, as an earlier process left it */
export function createLog(
  part: ReadPart,
  start: number,
  run: Pick<TargetRun, 'output'>,
  mostBytes = MOST_TOLD_BYTES,
): GrowingLog {
  const lines = createLines(run.output);
  let told = start;
  let tooLong = false;
  let unreadable = false;

  return {
    told: () => told,
    async read() {
      if (tooLong || unreadable) return true;
      let skip = told;
      try {
        const { whole } = await part(`bytes=${told}-`, mostBytes + 1, (piece, status) => {
          // A server that knows no ranges sends all of it each time.
          const fresh = status === 206 ? piece : piece.subarray(Math.min(skip, piece.length));
          if (status !== 206) skip -= piece.length - fresh.length;
          told += fresh.length;
          if (fresh.length > 0) lines.write(fresh);
        });
        tooLong = !whole || told - start >= mostBytes;
        return true;
      } catch (error) {
        if (!(error instanceof RestProblem)) throw error;
        // 416: nothing new. 404: nothing yet.
        if (error.status === 416 || error.kind === 'not_found') return true;
        if (wasCut(error) || isPassing(error)) return false;
        // The rollout goes on, whoever may read what it says.
        run.output(`The log cannot be read: ${error.message}`);
        unreadable = true;
        return true;
      }
    },
    async end() {
      lines.end();
      if (!tooLong) return;
      run.output('… the log is too long to be told as a whole; this is its end …');
      const tail = createLines(run.output);
      await part(`bytes=-${END_BYTES}`, END_BYTES, (piece, status) => {
        if (status === 206) tail.write(piece);
      });
      tail.end();
    },
  };
}
