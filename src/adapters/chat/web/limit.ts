/** How much one browser, person or peer may send. */

export interface Limit {
  /** True if one more is allowed at that time (milliseconds). */
  allow(key: string, now: number): boolean;
}

const KEYS_KEPT = 10_000;

/** A token bucket for each key: `burst` at once, then `perSecond` on average. */
export function createLimit(burst: number, perSecond: number): Limit {
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    allow(key, now) {
      const bucket = buckets.get(key) ?? { left: burst, at: now };
      bucket.left = Math.min(burst, bucket.left + (Math.max(0, now - bucket.at) / 1000) * perSecond);
      bucket.at = now;
      buckets.delete(key);
      buckets.set(key, bucket);
      if (buckets.size > KEYS_KEPT) {
        const oldest = buckets.keys().next().value;
        if (oldest !== undefined) buckets.delete(oldest);
      }
      if (bucket.left < 1) return false;
      bucket.left -= 1;
      return true;
    },
  };
}
