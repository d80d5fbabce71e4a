/** What goes wrong on purpose, for one method or for all. */

/**
 * `429`, `500` and other numbers: that status. A word: `ok: false` with this code. `cut before`: the connection breaks and
 * nothing was done. `cut after`: it was done, the answer is lost. `hang`: no answer until `mend`, nothing done.
 */
export type FaultKind = number | 'cut before' | 'cut after' | 'hang' | (string & {});

export interface Fault {
  readonly as: FaultKind;
  /** How often; 1. `Infinity` until `mend`. */
  readonly times?: number;
  /** Seconds, for 429; 1. */
  readonly retryAfter?: number;
  /** Only calls whose arguments fit. */
  readonly when?: (args: Readonly<Record<string, unknown>>) => boolean;
}

interface Waiting {
  readonly method: string;
  readonly fault: Fault;
  left: number;
}

export class Faults {
  #waiting: Waiting[] = [];
  #released: (() => void)[] = [];
  /** How often each method was made to fail. */
  readonly met = new Map<string, number>();

  /** `method` is a method of the Web API, `upload`, `response_url`, `download`, or `*` for everything. */
  fail(method: string, fault: Fault): void {
    this.#waiting.push({ method, fault, left: fault.times ?? 1 });
  }

  /** Forgets all faults, and ends what hangs. */
  mend(): void {
    this.#waiting = [];
    for (const release of this.#released.splice(0)) release();
  }

  /** Faults that nobody has met yet. */
  get unmet(): readonly string[] {
    return this.#waiting.filter((one) => Number.isFinite(one.left)).map((one) => `${one.method}: ${one.fault.as}`);
  }

  take(method: string, args: Readonly<Record<string, unknown>>): Fault | undefined {
    const found = this.#waiting.find(
      (one) => (one.method === method || one.method === '*') && (one.fault.when?.(args) ?? true),
    );
    if (!found) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#waiting = this.#waiting.filter((one) => one !== found);
    this.met.set(method, (this.met.get(method) ?? 0) + 1);
    return found.fault;
  }

  /** Resolves at `mend`. */
  hang(): Promise<void> {
    return new Promise((resolve) => this.#released.push(resolve));
  }
}
