/** Asking again and again: soon at first, then less and less often. */

export interface Pace {
  /** Milliseconds until the next question. */
  next(): number;
  /** Something has changed: soon again. */
  hurry(): void;
}

/** From `firstMs` up to `lastMs`, each wait half as long again as the one before. */
export function createPace(firstMs: number, lastMs: number): Pace {
  let wait = firstMs;
  return {
    next() {
      const now = wait;
      wait = Math.min(wait * 1.5, lastMs);
      return now;
    },
    hurry() {
      wait = firstMs;
    },
  };
}
