/** The required checks of an environment: what the pipelines said of the commit. Pure. */

import type { RuleCheck } from './rules.ts';
import { type Check, type CheckState, short } from './source.ts';
import { listed } from './words.ts';

/** What is known of the checks of a version; `text` says as a clause why nothing is. */
export type ChecksFact =
  | { readonly kind: 'known'; readonly commit: string; readonly checks: readonly Check[] }
  | { readonly kind: 'unclear'; readonly text: string; readonly next: string };

/** Names of checks, or `all`: whatever has run, and at least one. */
export type RequiredChecks = readonly string[] | 'all';

/** Of several checks of one name the worst counts. */
const WORST: readonly CheckState[] = ['failed', 'running', 'passed', 'tolerated', 'skipped'];
/** Names in one sentence. */
const NAMED = 8;

interface Lack {
  readonly name: string;
  readonly state: CheckState | 'missing';
}

/** What keeps these checks from having passed; empty if they have. */
export function lacking(required: RequiredChecks, checks: readonly Check[]): readonly Lack[] {
  const states = statesOf(checks);
  if (required === 'all') {
    const bad = [...states].filter(([, state]) => state === 'failed' || state === 'running');
    return bad.map(([name, state]) => ({ name, state }));
  }
  return required.flatMap((name) => {
    const state = states.get(name) ?? 'missing';
    return state === 'passed' ? [] : [{ name, state }];
  });
}

/** Whether they passed: at least one, that is, where all are asked for. */
export function havePassed(required: RequiredChecks, checks: readonly Check[]): boolean {
  if (lacking(required, checks).length > 0) return false;
  return required !== 'all' || checks.some(({ state }) => state === 'passed');
}

function statesOf(checks: readonly Check[]): ReadonlyMap<string, CheckState> {
  const states = new Map<string, CheckState>();
  for (const { name, state } of checks) {
    const known = states.get(name);
    if (known === undefined || WORST.indexOf(state) < WORST.indexOf(known)) states.set(name, state);
  }
  return states;
}

/** What the rule says. */
export function checkChecks(required: RequiredChecks, fact: ChecksFact): RuleCheck {
  if (fact.kind === 'unclear') return { rule: 'checks', ok: false, text: fact.text, next: fact.next };
  const { commit, checks } = fact;
  if (havePassed(required, checks)) {
    const what = required === 'all' ? 'all checks' : listed(required);
    return { rule: 'checks', ok: true, text: `${what} passed for ${short(commit)}` };
  }
  const lacks = lacking(required, checks);
  const text =
    lacks.length === 0
      ? `no check has passed for ${short(commit)}`
      : `for ${short(commit)} ${listed(lacks.slice(0, NAMED).map(lackText))}${lacks.length > NAMED ? `, and ${lacks.length - NAMED} more` : ''}`;
  return { rule: 'checks', ok: false, text, next: nextStep(lacks, checks) };
}

function lackText({ name, state }: Lack): string {
  switch (state) {
    case 'missing':
      return `${name} has not run`;
    case 'running':
      return `${name} is still running`;
    case 'skipped':
      return `${name} was skipped`;
    default:
      return `${name} failed`;
  }
}

function nextStep(lacks: readonly Lack[], checks: readonly Check[]): string {
  const urls = new Map(checks.map(({ name, url }) => [name, url]));
  const failed = lacks.find(({ state }) => state === 'failed' || state === 'tolerated');
  if (failed !== undefined) {
    const url = urls.get(failed.name);
    return `Repair it and deploy the new commit${url === undefined ? '' : `; look at ${url}`}.`;
  }
  if (lacks.length > 0 && lacks.every(({ state }) => state === 'running')) return 'Wait until they have ended.';
  const known = [...new Set(checks.map(({ name }) => name))].slice(0, NAMED);
  const heard = known.length === 0 ? 'I have heard of none for this commit' : `those I know of are ${listed(known)}`;
  return `Have them run for this commit, or correct their names in config/services.yaml: ${heard}.`;
}
