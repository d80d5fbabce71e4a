/** The rules of an environment: what must have happened elsewhere, when it may be deployed to, and when not. Pure. */

import { type ChecksFact, checkChecks } from './checks.ts';
import type { EnvironmentRules, Window } from './config.ts';
import { instantOf, inZone, laterDay, localTime } from './zone.ts';

export interface RuleFacts {
  readonly service: string;
  readonly environment: string;
  readonly version: string;
  readonly now: Date;
  /** When that version succeeded last in the environment of `after`; undefined if it never did. */
  readonly succeeded: Date | undefined;
  /** A version that was live here before goes back: it need not show again that it works. */
  readonly isRollback: boolean;
  /** What is known of the checks of its commit; undefined where none are asked for. */
  readonly checks?: ChecksFact;
}

/** What one rule says. `text` is a clause and `next` a sentence for people: plain text that quotes names. */
export interface RuleCheck {
  readonly rule: 'after' | 'checks' | 'windows' | 'freezes';
  readonly ok: boolean;
  readonly text: string;
  readonly next?: string;
}

/** What every rule that there is says, in the order of the documentation. */
export function checkRules(rules: EnvironmentRules, facts: RuleFacts): readonly RuleCheck[] {
  return [
    ...(rules.after === undefined ? [] : [checkAfter(rules.after, facts)]),
    ...(rules.checks === undefined ? [] : [requiredChecks(rules.checks, facts)]),
    ...(rules.windows.length === 0 ? [] : [checkWindows(rules.windows, facts.now)]),
    ...(rules.freezes.length === 0 ? [] : [checkFreezes(rules, facts.now)]),
  ];
}

function checkAfter(after: string, facts: RuleFacts): RuleCheck {
  const { service, version } = facts;
  if (facts.isRollback) return { rule: 'after', ok: true, text: `${version} was live in ${facts.environment} before` };
  if (facts.succeeded !== undefined) {
    return {
      rule: 'after',
      ok: true,
      text: `${version} was deployed to ${after} on ${inZone(facts.succeeded, 'UTC')}`,
    };
  }
  return {
    rule: 'after',
    ok: false,
    text: `${version} was never deployed to ${after} with success`,
    next: `First: deploy ${service} ${version} to ${after}.`,
  };
}

function requiredChecks(required: NonNullable<EnvironmentRules['checks']>, facts: RuleFacts): RuleCheck {
  const { version, environment, checks } = facts;
  if (facts.isRollback) return { rule: 'checks', ok: true, text: `${version} was live in ${environment} before` };
  return checkChecks(
    required,
    checks ?? { kind: 'unclear', text: 'the checks are not known', next: 'Try again later.' },
  );
}

function checkWindows(windows: readonly Window[], now: Date): RuleCheck {
  const open = windows.find((window) => isOpen(window, now));
  if (open) return { rule: 'windows', ok: true, text: `the window ${open.text} is open` };
  const next = nextOpening(windows, now);
  return {
    rule: 'windows',
    ok: false,
    text: `no deploy window is open (${windows.map(({ text }) => text).join('; ')})`,
    ...(next === undefined ? {} : { next: `Wait until ${inZone(next.at, next.zone)}.` }),
  };
}

function checkFreezes({ freezes }: EnvironmentRules, now: Date): RuleCheck {
  const frozen = freezes.find(({ from, to }) => from <= now && now < to);
  if (!frozen) return { rule: 'freezes', ok: true, text: 'no freeze' };
  return {
    rule: 'freezes',
    ok: false,
    text: `it is frozen: ${frozen.reason}`,
    next: `Wait until ${inZone(frozen.to, frozen.zone)}.`,
  };
}

/** A window whose end is not after its beginning ends on the next day. */
export function isOpen({ days, from, to, zone }: Window, at: Date): boolean {
  const { weekday, minute } = localTime(at, zone);
  if (from < to) return days.includes(weekday) && from <= minute && minute < to;
  return (days.includes(weekday) && minute >= from) || (days.includes(((weekday + 5) % 7) + 1) && minute < to);
}

/** When the first of them opens after that moment, within the next eight days. */
export function nextOpening(
  windows: readonly Window[],
  after: Date,
): { readonly at: Date; readonly zone: string } | undefined {
  const found = windows.flatMap((window) => {
    const today = localTime(after, window.zone);
    return Array.from({ length: 9 }, (_, days) => laterDay(today, days))
      .filter(({ weekday }) => window.days.includes(weekday))
      .map((day) => ({ at: instantOf(day, window.from, window.zone), zone: window.zone }))
      .filter(({ at }) => at > after && isOpen(window, at));
  });
  return found.sort((one, other) => one.at.getTime() - other.at.getTime())[0];
}
