/** Questions that somebody waits for: an engine in trouble becomes the error that people read. */

import { TargetUnclear } from '../../../domain/deploy/target.ts';
import { EngineTrouble } from './trouble.ts';

/** @throws TargetUnclear for what an engine does */
export async function clearly<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof EngineTrouble)) throw error;
    throw new TargetUnclear(error.message, { cause: error });
  }
}
