/** What follows the end of a deployment, in `config/services.yaml`. */

import { z } from 'zod';
import { WATCH_MS } from '../domain/deploy/afterwards.ts';
import type { Afterwards } from '../domain/deploy/config.ts';
import { matcher, room } from './alerts.ts';
import { duration } from './fields.ts';

const watch = z.union([z.string(), z.number()]).transform((value, context): number => {
  if (value === 0 || value === 'off') return 0;
  const read = duration.safeParse(value);
  if (read.success) return read.data;
  context.addIssue('a watch looks like 15m, up to 24h, or is off');
  return z.NEVER;
});

const severity = z.string().min(1);

export const matchers = z.array(matcher).min(1, 'give at least one matcher');

/** The keys of an environment that say what follows. */
export const afterwardsShape = {
  announce: z
    .union([room.transform((one) => [one]), z.array(room)])
    .default([])
    .describe('Rooms that are told how each deployment ended: `ops`, or `[ops, slack:releases]`'),
  watch: watch
    .optional()
    .describe('How long alerts are tied to a deployment that succeeded; 10m unless given, or `off`'),
  rollback_on: z
    .array(z.enum(['alert', 'failure']))
    .default([])
    .describe('When the robot rolls back by itself: an alert fires in the watch, a deployment fails'),
  rollback_severity: z
    .array(severity)
    .default([])
    .describe('Only alerts of these severities make the robot roll back; all unless given'),
  alerts: matchers
    .optional()
    .describe('Which alerts are of this environment; those whose environment, env or namespace names it unless given'),
};

interface Given {
  readonly announce: readonly string[];
  readonly watch?: number | undefined;
  readonly rollback_on: Afterwards['rollbackOn'];
  readonly rollback_severity: readonly string[];
  readonly alerts?: Afterwards['alerts'] | undefined;
}

/** Nothing where the environment says nothing of it. */
export function afterwardsOf(given: Given): { readonly afterwards?: Afterwards } {
  const { announce, watch: length, rollback_on: on, rollback_severity: severities, alerts } = given;
  const isSilent = length === undefined && alerts === undefined;
  if (isSilent && announce.length + on.length + severities.length === 0) return {};
  return {
    afterwards: {
      announce: [...new Set(announce)],
      watchMs: length ?? WATCH_MS,
      rollbackOn: on,
      rollbackSeverity: severities,
      alerts: alerts ?? [],
    },
  };
}

/** What is wrong with them together; undefined if nothing is. */
export function wrongAfterwards(given: Given): string | undefined {
  return given.rollback_on.includes('alert') && given.watch === 0
    ? 'without a watch no alert is tied to a deployment: give watch a length, or leave alert out'
    : undefined;
}
