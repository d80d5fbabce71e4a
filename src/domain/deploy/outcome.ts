/** How a deployment ended, judged by what is really live, and how the room is told. */

import { type Action, type Card, card, codeBlock, plain } from '../../bot/card.ts';
import { duration } from './duration.ts';
import { footer } from './footer.ts';
import type { Deployment, Finish } from './ports.ts';
import type { Live, TargetOutcome } from './target.ts';

/** What the target said after the run. */
export type LiveFact =
  | { readonly kind: 'live'; readonly version: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'unclear'; readonly text: string };

export function liveFact(current: Live | 'unsupported' | undefined): LiveFact {
  if (current === undefined) return { kind: 'nothing' };
  return current === 'unsupported' ? { kind: 'unsupported' } : { kind: 'live', version: current.version };
}

export type Verdict = Pick<Finish, 'state' | 'reason' | 'live'>;

/**
 * The state to record. A program that ends well has not deployed anything unless the version is live; one that was cut
 * off has, if it is.
 */
export function verdict(version: string, outcome: TargetOutcome, live: LiveFact): Verdict {
  const known = live.kind === 'live' ? { live: live.version } : {};
  if (outcome.kind === 'failed') return { state: 'failed', reason: outcome.text, ...known };
  if (outcome.kind === 'interrupted') {
    return known.live === version
      ? { state: 'succeeded', reason: `${outcome.text}, after ${version} had gone live`, ...known }
      : { state: 'interrupted', reason: outcome.text, ...known };
  }
  if (live.kind === 'live' && live.version !== version) {
    return { state: 'failed', reason: `the program ended well, but ${live.version} is live`, ...known };
  }
  if (live.kind === 'nothing') return { state: 'failed', reason: 'the program ended well, but nothing is live' };
  if (live.kind === 'unclear') return { state: 'succeeded', reason: `what is live could not be checked: ${live.text}` };
  return { state: 'succeeded', ...known };
}

/** The state to record of one that somebody cancelled and that did not end well by itself. */
export function cancelled(
  version: string,
  by: { readonly name: string },
  outcome: TargetOutcome,
  live: LiveFact,
): Verdict {
  const how = cancelledBy(by.name, outcome);
  const result = verdict(version, { kind: 'interrupted', text: how }, live);
  return result.state === 'interrupted' ? { ...result, state: 'cancelled' } : result;
}

/** Who cancelled, and what came of it there: what was told to stop may go on. */
function cancelledBy(name: string, outcome: TargetOutcome): string {
  const began = 'it was cancelled';
  if (outcome.kind === 'failed') return `${name} cancelled it, and then ${outcome.text}`;
  const more = outcome.kind === 'interrupted' && outcome.text.startsWith(began) ? outcome.text.slice(began.length) : '';
  return `${name} cancelled it${more}`;
}

/**
 * The version to offer after a failure: the previous one if it is no longer live; else the newest that is newer than
 * what is live and did not fail just now. Undefined if there is nothing sensible to press.
 */
export function remedy(
  failed: string,
  previous: string | undefined,
  live: LiveFact,
  versions: readonly string[],
): string | undefined {
  if (live.kind !== 'live') return previous;
  if (previous !== undefined && live.version !== previous) return previous;
  const here = versions.indexOf(live.version);
  return versions.slice(0, Math.max(here, 0)).find((version) => version !== failed && versions.indexOf(version) < here);
}

export interface OutcomeFacts {
  readonly deployment: Deployment;
  readonly verdict: Verdict;
  readonly live: LiveFact;
  /** The last lines of output, redacted. */
  readonly lastLines: string;
  readonly remedy: string | undefined;
  readonly finishedAt: Date;
}

/** The card that takes the place of the progress card. */
export function outcomeCard(facts: OutcomeFacts): Card {
  const { deployment, verdict: result } = facts;
  const { id, service, environment, version } = deployment;
  const took = duration(facts.finishedAt.getTime() - (deployment.startedAt ?? deployment.requestedAt).getTime());
  const log: Action = { label: 'Log', command: `deploys log ${id}` };
  if (result.state === 'succeeded') {
    const lines = [`Took ${took}.`];
    if (deployment.previous !== undefined) lines.push(`Before: ${plain(deployment.previous)}.`);
    if (result.reason !== undefined) lines.push(sentence(result.reason));
    return card({
      title: `${service} ${version} is live in ${environment}`,
      tone: result.reason === undefined ? 'good' : 'warning',
      text: lines.join(' '),
      actions: [log],
      footer: footer(deployment),
    });
  }
  const what = { failed: 'failed', interrupted: 'was interrupted', cancelled: 'was cancelled' }[result.state];
  const parts = [
    `${liveSentence(deployment, facts.live)} After ${took}: ${result.reason === undefined ? 'no reason given.' : sentence(result.reason, false)}`,
  ];
  if (facts.lastLines !== '') parts.push(codeBlock(facts.lastLines));
  const actions: Action[] = [log];
  if (facts.remedy !== undefined) {
    actions.push({
      label: `Deploy ${facts.remedy}`,
      command: `deploy ${service} ${facts.remedy} to ${environment}`,
      style: 'primary',
    });
  }
  return card({
    title: `${service} ${version} to ${environment} ${what}`,
    tone: result.state === 'failed' ? 'bad' : 'warning',
    text: parts.join('\n\n'),
    actions,
    footer: footer(deployment),
  });
}

function liveSentence(deployment: Deployment, live: LiveFact): string {
  switch (live.kind) {
    case 'live':
      if (live.version === deployment.previous) return `**${plain(live.version)}** is still live.`;
      if (live.version === deployment.version) return `**${plain(live.version)}** is live all the same.`;
      return `**${plain(live.version)}** is live now.`;
    case 'nothing':
      return deployment.previous === undefined ? 'Nothing is live, as before.' : '**Nothing is live now.**';
    case 'unsupported':
      return 'What is live now is not known: this target cannot tell.';
    case 'unclear':
      return `What is live now could not be checked: ${plain(live.text)}.`;
  }
}

function sentence(text: string, capital = true): string {
  const first = capital ? text.slice(0, 1).toUpperCase() : text.slice(0, 1);
  const end = /[.!?]$/.test(text) ? '' : '.';
  return plain(`${first}${text.slice(1)}${end}`);
}

/** How the audit row of a deployment ends: what became of it, and which deployment and version it was. */
export function auditEnd(
  { id, version }: Pick<Deployment, 'id' | 'version'>,
  state: Finish['state'],
  reason: string | undefined,
): { readonly outcome: 'succeeded' | 'failed' | 'interrupted'; readonly detail: string } {
  return {
    outcome: state === 'cancelled' ? 'interrupted' : state,
    detail: [`deployment ${id}`, version, reason].filter(Boolean).join(', '),
  };
}
