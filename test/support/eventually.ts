/** Waiting in tests: asks again and again until it is so, and says what was seen last if it never is. */

/** Resolves with the first value that `accept` takes; rejects after `ms`, before mocha's own limit would hide what was seen. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  accept: (value: T) => boolean = Boolean,
  ms = 25_000,
): Promise<T> {
  const deadline = Date.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const value = await look();
      if (accept(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`did not come about in ${ms} ms; last seen: ${shown(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** As {@link eventually}, of something that may take long as long as it goes on: rejects when nothing has changed for `ms`. */
export async function inMotion(
  look: () => Promise<string>,
  accept: (value: string) => boolean,
  ms: number,
): Promise<string> {
  for (let before: string | undefined; ; ) {
    const value = await eventually(look, (seen) => seen !== before || accept(seen), ms);
    if (accept(value)) return value;
    before = value;
  }
}

function shown(value: unknown): string {
  return value instanceof Error ? value.message : JSON.stringify(value);
}
