/** What several YAML files are made of. */

import { z } from 'zod';

/** An object in which a key that nobody knows is an error that names those that are known. */
export function strict<S extends z.core.$ZodLooseShape>(shape: S) {
  const allowed = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `unknown key ${issue.keys.join(', ')}; allowed: ${allowed}` : undefined,
  });
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const MOST_MS = 24 * 3_600_000;

/** A length of time, in milliseconds once it is read. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?[smh]$/, 'a duration looks like 30s, 2m or 1h')
  .transform((text) => Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0))
  .refine((ms) => ms > 0 && ms <= MOST_MS, 'a duration is more than 0s and at most 24h');

/** The name of an environment variable. */
export const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable is expected');
