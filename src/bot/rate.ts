/** How many commands one person may run. */

import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimit } from './dispatch.ts';

/** So many commands in a minute for each person, counted by this replica. */
export function createRateLimit(perMinute: number): RateLimit {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return {
    perMinute,
    async take(personId) {
      try {
        await limiter.consume(personId);
        return 0;
      } catch (refused) {
        if (refused instanceof Error) throw refused;
        return secondsLeft(refused);
      }
    },
  };
}

/** The limiter rejects with its state, which is no Error. */
function secondsLeft(refused: unknown): number {
  const state: Partial<RateLimiterRes> = typeof refused === 'object' && refused !== null ? refused : {};
  return Math.max(1, Math.ceil((state.msBeforeNext ?? 1000) / 1000));
}
