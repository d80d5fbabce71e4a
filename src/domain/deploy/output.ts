/** What a program says, kept within bounds: the beginning, and the end, which is where the error stands. */

import { redactedStart } from '../privacy/redact.ts';

export interface OutputLimits {
  readonly headBytes: number;
  readonly tailBytes: number;
}

const LIMITS: OutputLimits = { headBytes: 256 * 1024, tailBytes: 768 * 1024 };

/** The longest line that is kept whole. */
const LINE = 2_000;

export interface Output {
  add(line: string): void;
  /** All that was kept, with a line that says how many lines were left out between beginning and end. */
  text(): string;
  /** How long {@link Output.text} is, about. */
  size(): number;
}

/** Memory stays under the limits (in UTF-16 units) however much is added. */
export function createOutput(limits: OutputLimits = LIMITS): Output {
  const head: string[] = [];
  let headSize = 0;
  let headFull = false;
  let tail: string[] = [];
  let start = 0;
  let tailSize = 0;
  let dropped = 0;

  function add(whole: string): void {
    const line = whole.length > LINE ? `${redactedStart(whole, LINE)} …` : whole;
    const size = line.length + 1;
    if (!headFull && headSize + size <= limits.headBytes) {
      head.push(line);
      headSize += size;
      return;
    }
    headFull = true;
    tail.push(line);
    tailSize += size;
    while (tailSize > limits.tailBytes && start < tail.length - 1) {
      tailSize -= (tail[start]?.length ?? 0) + 1;
      start += 1;
      dropped += 1;
    }
    if (start > 1_000 && start * 2 > tail.length) {
      tail = tail.slice(start);
      start = 0;
    }
  }

  return {
    add,
    size: () => headSize + tailSize,
    text() {
      const gap = dropped === 0 ? [] : [gapOf(dropped)];
      return [...head, ...gap, ...tail.slice(start)].join('\n');
    },
  };
}

const gapOf = (count: number | string) => `… ${count} lines left out …`;
const GAP = new RegExp(`^${gapOf('(\\d+)')}$`, 'm');

/** How many lines {@link Output.text} says it has left out. */
export function leftOut(text: string): number {
  return Number(GAP.exec(text)?.[1] ?? 0);
}

/** The last lines of a text that are not empty, each cut at 200 characters. */
export function lastLines(text: string, count: number): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .map((line) => (line.length > 200 ? `${line.slice(0, 200)} …` : line))
    .join('\n');
}
