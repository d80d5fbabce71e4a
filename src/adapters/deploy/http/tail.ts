/** The end of a log, however long it is: that is where the error stands. */

import type { Rest, RestRequest } from '../../rest/client.ts';
import { RestProblem, wasCut } from '../../rest/problem.ts';
import { createLines } from '../lines.ts';

export interface Tail {
  readonly lines: readonly string[];
  /** How many lines stood before. */
  readonly before: number;
}

const MOST_BYTES = 200_000_000;
const TRIES = 3;

/** Reads a log piece by piece and keeps its last lines; from its beginning again if the connection is cut. @throws RestProblem */
async function tailOf(rest: Rest, request: RestRequest, count: number): Promise<Tail> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tailOnce(rest, request, count);
    } catch (error) {
      if (!(error instanceof RestProblem && wasCut(error)) || tries >= TRIES) throw error;
    }
  }
}

async function tailOnce(rest: Rest, request: RestRequest, count: number): Promise<Tail> {
  const kept: string[] = [];
  let seen = 0;
  const lines = createLines((line) => {
    kept[seen % count] = line;
    seen += 1;
  });
  await rest.stream({ mostBytes: MOST_BYTES, ...request }, lines.write);
  lines.end();
  const start = seen > count ? seen % count : 0;
  return { lines: [...kept.slice(start), ...kept.slice(0, start)], before: Math.max(seen - count, 0) };
}

/** Shows the end of a log under a heading; that it cannot be read is said in its place. */
export async function showTail(
  rest: Rest,
  request: RestRequest,
  heading: string,
  count: number,
  output: (line: string) => void,
): Promise<void> {
  try {
    const { lines, before } = await tailOf(rest, request, count);
    output(before === 0 ? `${heading}:` : `${heading}, without its first ${before} lines:`);
    for (const line of lines) output(line);
  } catch (error) {
    if (!(error instanceof RestProblem)) throw error;
    output(`${heading} could not be read: ${error.message}`);
  }
}
