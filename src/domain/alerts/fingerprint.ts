/** Who an alert is: its labels, and nothing else. */

import type { IncomingAlert, Labels } from './ports.ts';

const OFFSET = 14695981039346656037n;
const PRIME = 1099511628211n;
const SEPARATOR = 255;

/**
 * The fingerprint that Prometheus and Alertmanager give to a set of labels: FNV-1a over 64 bits of the sorted names and values,
 * in hexadecimal.
 * https://github.com/prometheus/common/blob/main/model/signature.go
 */
export function labelsFingerprint(labels: Labels): string {
  let hash = OFFSET;
  const add = (byte: number): void => {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  };
  const encoder = new TextEncoder();
  for (const name of Object.keys(labels).sort()) {
    for (const byte of encoder.encode(name)) add(byte);
    add(SEPARATOR);
    for (const byte of encoder.encode(labels[name] ?? '')) add(byte);
    add(SEPARATOR);
  }
  return hash.toString(16).padStart(16, '0');
}

/** The sender's fingerprint if it is usable, else the one of the labels. */
export function fingerprintOf(alert: IncomingAlert): string {
  const given = alert.fingerprint ?? '';
  return /^[\w-]{1,64}$/.test(given) ? given : labelsFingerprint(alert.labels);
}
