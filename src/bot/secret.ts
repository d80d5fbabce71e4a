/** Comparing a secret with what somebody shows. */

import { createHash, timingSafeEqual } from 'node:crypto';

/** True if both texts are the same. Takes equally long whatever the difference, and tells nothing of the length: hashes are compared. */
export function sameSecret(shown: string, expected: string): boolean {
  return timingSafeEqual(hash(shown), hash(expected));
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
