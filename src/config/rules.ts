/** The rules of an environment in `config/services.yaml`. */

import { z } from 'zod';
import type { ApprovalRule, EnvironmentRules, Window } from '../domain/deploy/config.ts';
import { instantOf, isZone, laterDay } from '../domain/deploy/zone.ts';
import { duration, strict } from './fields.ts';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const DAY_MINUTES = 24 * 60;
const WINDOW = /^(?:(\S+)\s+)?(\d\d):([0-5]\d)-(\d\d):([0-5]\d)(?:\s+(\S+))?$/;
const MOMENT = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):([0-5]\d))?(?:\s+(\S+))?$/;

/** Deploy windows; without days it is every day, without a zone it is UTC. The zone is one of the IANA database. */
export const window = z.string().transform((text, context): Window => {
  const [, days = 'mon-sun', fromHour = '', fromMinute, toHour = '', toMinute, zone = 'UTC'] = WINDOW.exec(text) ?? [];
  const from = Number(fromHour) * 60 + Number(fromMinute);
  const to = Number(toHour) * 60 + Number(toMinute);
  const listed = daysOf(days.toLowerCase());
  if (fromHour === '' || listed === undefined || from >= DAY_MINUTES || to > DAY_MINUTES || from === to) {
    context.addIssue('a window looks like mon-thu 09:00-16:00 Europe/Berlin, or sat,sun 22:00-02:00 UTC');
    return z.NEVER;
  }
  if (!isZone(zone)) {
    context.addIssue(`there is no time zone ${zone}; it is called such as Europe/Berlin, America/New_York or UTC`);
    return z.NEVER;
  }
  return { days: listed, from, to, zone, text };
});

/** `mon-thu`, `sat,sun`, `fri-mon,wed`: 1 is Monday. */
function daysOf(text: string): number[] | undefined {
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const [first = '', last = first, ...more] = part.split('-');
    const [from, to] = [DAYS.indexOf(first), DAYS.indexOf(last)];
    if (from < 0 || to < 0 || more.length > 0) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      found.add(day + 1);
      if (day === to) break;
    }
  }
  return [...found].sort((one, other) => one - other);
}

function pointInTime(text: string, end: boolean): { at: Date; zone: string } | string {
  const [, year, month, day, hour, minute, zone = 'UTC'] = MOMENT.exec(text) ?? [];
  const date = { year: Number(year), month: Number(month), day: Number(day) };
  const real = laterDay(date, 0);
  const isReal = real.month === date.month && real.day === date.day && Number(hour ?? 0) < 24;
  if (year === undefined || !isReal) return 'a moment looks like 2026-12-20, or 2026-12-20 18:00 Europe/Berlin';
  if (!isZone(zone))
    return `there is no time zone ${zone}; it is called such as Europe/Berlin, America/New_York or UTC`;
  if (hour === undefined) return { at: instantOf(laterDay(date, end ? 1 : 0), 0, zone), zone };
  return { at: instantOf(date, Number(hour) * 60 + Number(minute), zone), zone };
}

function moment(end: boolean) {
  return z.string().transform((text, context) => {
    const found = pointInTime(text, end);
    if (typeof found !== 'string') return found;
    context.addIssue(found);
    return z.NEVER;
  });
}

/** A time in which nothing is deployed. A day without a time counts as a whole. */
export const freeze = strict({
  from: moment(false).describe('`2026-12-18`, `2026-12-18 18:00 Europe/Berlin`; UTC unless a zone is given'),
  to: moment(true).describe('The last day of it, or the moment at which it ends'),
  reason: z.string().min(1).describe('Shown to who is refused'),
})
  .refine(({ from, to }) => from.at < to.at, { message: 'it ends before it begins', path: ['to'] })
  .transform(({ from, to, reason }) => ({ from: from.at, to: to.at, reason, zone: to.zone }));

/** Required checks: names as the host shows them, or `all`. */
export const checks = z.union([
  z.literal('all'),
  z
    .array(z.string().trim().min(1).max(200))
    .min(1)
    .max(50)
    .transform((names) => [...new Set(names)]),
]);

/** Approval by somebody else. */
export const approval = strict({
  permission: z
    .string()
    .regex(/^[a-z][\w-]*(:[\w.-]+)*$/, 'a permission looks like deploy:approve:production')
    .optional()
    .describe('What an approver must hold; `deploy:approve:<environment>` unless a role is given'),
  role: z
    .string()
    .regex(/^[a-z][\w-]*$/, 'a role is a word of small letters, digits and dashes')
    .optional()
    .describe('The role of config/access.yaml that an approver must have'),
  count: z.int().min(1).max(9).default(1).describe('How many different people'),
  expires: duration
    .default(3_600_000)
    .describe('How long it is waited for: `30m`, `2h`; an hour unless said otherwise'),
}).refine(({ permission, role }) => permission === undefined || role === undefined, {
  message: 'give a permission or a role, not both',
});

interface FileRules {
  readonly after?: string | undefined;
  readonly windows: EnvironmentRules['windows'];
  readonly freezes: EnvironmentRules['freezes'];
  readonly checks?: z.output<typeof checks> | undefined;
  readonly approval?: z.output<typeof approval> | undefined;
}

/** Rules and approval as plain data; nothing where there is none. */
export function rulesOf(
  environment: string,
  file: FileRules,
): { readonly rules?: EnvironmentRules; readonly approval?: ApprovalRule } {
  const { after, checks: required, windows, freezes, approval: asked } = file;
  const hasRules = after !== undefined || required !== undefined || windows.length > 0 || freezes.length > 0;
  return {
    ...(hasRules
      ? {
          rules: {
            windows,
            freezes,
            ...(after === undefined ? {} : { after }),
            ...(required === undefined ? {} : { checks: required }),
          },
        }
      : {}),
    ...(asked ? { approval: approvalOf(environment, asked) } : {}),
  };
}

function approvalOf(environment: string, asked: z.output<typeof approval>): ApprovalRule {
  const { role, permission = `deploy:approve:${environment}`, count, expires } = asked;
  return { needs: role === undefined ? { permission } : { role }, count, expiresMs: expires };
}

/** What is wrong with what an environment comes after: it is not there, or comes after this one. */
export function wrongAfter(
  name: string,
  afterOf: (name: string) => string | undefined,
  known: readonly string[],
): string | undefined {
  const first = afterOf(name);
  if (first === undefined) return undefined;
  if (!known.includes(first)) return `there is no environment ${first}; allowed: ${known.join(', ')}`;
  const seen = [name];
  for (let at: string | undefined = first; at !== undefined; at = afterOf(at)) {
    if (at === name) return `${[...seen, name].join(' comes after ')}: nothing could ever be deployed there`;
    if (seen.includes(at)) return undefined;
    seen.push(at);
  }
  return undefined;
}
