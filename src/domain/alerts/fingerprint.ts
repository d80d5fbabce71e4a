/** Who an alert is: its labels, and nothing else. */

import type { IncomingAlert, Labels } from './ports.ts';

/** The offset and the prime of FNV-1a, in halves of 32 bits; the high half of the prime is 1 shifted by 8. */
const OFFSET = { high: 0xcbf29ce4, low: 0x84222325 };
const PRIME_LOW = 0x1b3;
const WORD = 0x1_0000_0000;
const SEPARATOR = 255;

/**
 * The fingerprint that Prometheus and Alertmanager give to a set of labels: FNV-1a over 64 bits of the sorted names and values,
 * in hexadecimal.
 * https://github.com/prometheus/common/blob/main/model/signature.go
 */
export function labelsFingerprint(labels: Labels): string {
  let { high, low } = OFFSET;
  const add = (byte: number): void => {
    const mixed = (low ^ byte) >>> 0;
    const product = mixed * PRIME_LOW;
    high = (high * PRIME_LOW + mixed * 0x100 + Math.floor(product / WORD)) % WORD;
    low = product % WORD;
  };
  const encoder = new TextEncoder();
  for (const name of Object.keys(labels).sort()) {
    for (const byte of encoder.encode(name)) add(byte);
    add(SEPARATOR);
    for (const byte of encoder.encode(labels[name] ?? '')) add(byte);
    add(SEPARATOR);
  }
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('');
}

/** The sender's fingerprint if it is usable, else the one of the labels. */
export function fingerprintOf(alert: IncomingAlert): string {
  const given = alert.fingerprint ?? '';
  return /^[\w-]{1,64}$/.test(given) ? given : labelsFingerprint(alert.labels);
}
