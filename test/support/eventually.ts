/** Waiting in tests: asks again and again until it is so, and says what was seen last if it never is. */

/** Resolves with the first value that `check` accepts; rejects after `ms`. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  accept: (value: T) => boolean = Boolean,
  ms = 10_000,
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

function shown(value: unknown): string {
  return value instanceof Error ? value.message : JSON.stringify(value);
}
