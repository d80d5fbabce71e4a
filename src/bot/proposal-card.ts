/** How a proposal is shown: as a question with buttons, and then, in its place, as what was answered. */

import { approversText } from '../domain/access/approvers.ts';
import { type Card, card, codeBlock, plain } from './card.ts';
import type { Person } from './chat.ts';
import type { Decision, Proposal } from './proposals.ts';

/** The key of the one message that a proposal has in its room. */
export function proposalKey({ id }: Pick<Proposal, 'id'>): string {
  return `proposal:${id}`;
}

export function confirmCard({ code, text, person }: Proposal, question: string): Card {
  return card({
    title: 'Are you sure?',
    tone: 'warning',
    text: `${question}\n\n${codeBlock(text)}`,
    actions: [
      { label: 'Yes, run it', command: `confirm ${code}`, style: 'primary' },
      { label: 'No', command: `cancel ${code}` },
    ],
    footer: `Waits ten minutes for ${person.name}`,
  });
}

/**
 * @param given who has approved it already, where it takes several
 * @param where the room where it was asked for, on a card that is not there
 */
export function approveCard(proposal: Proposal, now: Date, given: readonly Person[] = [], where?: string): Card {
  const { code, text, person, terms, expiresAt } = proposal;
  const lines = [codeBlock(text)];
  if (terms !== undefined && terms.details !== '') lines.push(terms.details);
  lines.push(`${whoMust(proposal)} must approve it.`);
  if (given.length > 0) lines.push(`Approved by ${given.map(({ name }) => plain(name)).join(', ')}.`);
  return card({
    title: `${person.name} asks for approval`,
    tone: 'warning',
    text: lines.join('\n\n'),
    actions: [
      { label: 'Approve', command: `approve ${code}`, style: 'primary' },
      { label: 'Refuse', command: `refuse ${code}`, style: 'danger' },
    ],
    footer: `${where === undefined ? '' : `Asked for in ${where}. `}Waits ${wait(expiresAt.getTime() - now.getTime())}`,
  });
}

function whoMust({ permission, terms }: Proposal): string {
  const needs = terms?.role === undefined ? { permission: permission ?? '' } : { role: terms.role };
  const text = approversText(needs, terms?.count ?? 1);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** `an hour`, `30 minutes`, to the minute. */
function wait(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  if (minutes === 60) return 'an hour';
  if (minutes % 60 === 0) return `${minutes / 60} hours`;
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}

/** What stands there when nobody can approve it any more. */
export function voidCard({ text, person }: Proposal, why: string): Card {
  return card({
    title: `No longer to be approved, asked for by ${person.name}`,
    tone: 'neutral',
    text: `${codeBlock(text)}\n\n${why}`,
  });
}

/** What stands there when nobody has answered in time. */
export function expiredCard({ kind, text, person }: Proposal): Card {
  return card({
    title: kind === 'approve' ? `Nobody approved it in time, asked for by ${person.name}` : 'Not confirmed in time',
    tone: 'neutral',
    text: `${codeBlock(text)}\n\nNothing was done.`,
  });
}

/** What whoever asked is told then, behind their name. */
export function expiredText({ text, terms }: Pick<Proposal, 'text' | 'terms'>): string {
  const who = (terms?.count ?? 1) === 1 ? 'Nobody approved' : 'Not enough people approved';
  return `${who} this in time, so nothing was done. To ask for it again, type:\n\n${codeBlock(text)}`;
}

/** What stands there once it has been answered: no buttons any more. */
export function decidedCard(
  { text, person }: Proposal,
  decision: Exclude<Decision, 'void' | 'expired'>,
  by: readonly Person[],
): Card {
  const whose = by.every(({ id }) => id === person.id) ? '' : `, asked for by ${person.name}`;
  return card({
    title: `${decision.charAt(0).toUpperCase()}${decision.slice(1)} by ${by.map(({ name }) => name).join(', ')}${whose}`,
    tone: 'neutral',
    text: codeBlock(text),
  });
}
