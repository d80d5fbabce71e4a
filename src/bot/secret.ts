/** Comparing a secret with what somebody shows. */

import { createHash, timingSafeEqual } from 'node:crypto';

/** True if both texts are the same. Takes equally long whatever the difference, and tells nothing of the length: hashes are compared. */
export function sameSecret(shown: string, expected: string): boolean {
  return timingSafeEqual(hash(shown), hash(expected));
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** What is kept of a random secret: its SHA-256, in hexadecimal. Of 128 random bits or more, that can be neither guessed nor undone. */
export function secretHash(secret: string): string {
  return hash(secret).toString('hex');
}
