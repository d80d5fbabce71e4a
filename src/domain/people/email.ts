/** When two e-mail addresses are the same. */

/** RFC 5321, 4.5.3.1.3. */
const LONGEST = 254;
const ADDRESS = /^[^\s@<>",;:\\]+@[^\s@<>",;:\\]+\.[^\s@<>",;:\\]+$/;

/**
 * An address as it is compared and kept; undefined if it is none. Only the letters A to Z are folded: other letters that fold or
 * normalise to them (the Kelvin sign to `k`, wide letters) would make somebody else's mailbox look like this one.
 */
export function normaliseEmail(typed: string): string | undefined {
  const address = typed.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return address.length <= LONGEST && ADDRESS.test(address) ? address : undefined;
}
