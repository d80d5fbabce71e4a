/** The clock of this machine, for what asks the outside again and again. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../domain/deploy/ports.ts';

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, signal) => await delay(ms, undefined, { signal }).catch(() => undefined),
};
