/** How a proposal is shown: as a question with buttons, and then, in its place, as what was answered. */

import { type Card, card, codeBlock } from './card.ts';
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

export function approveCard({ code, text, person, permission }: Proposal): Card {
  return card({
    title: `${person.name} asks for approval`,
    tone: 'warning',
    text: `${codeBlock(text)}\n\nSomebody else who holds \`${permission ?? ''}\` must approve it.`,
    actions: [
      { label: 'Approve', command: `approve ${code}`, style: 'primary' },
      { label: 'Refuse', command: `refuse ${code}`, style: 'danger' },
    ],
    footer: 'Waits an hour',
  });
}

/** What stands there once it has been answered: no buttons any more. */
export function decidedCard({ text, person }: Proposal, decision: Decision, by: Person): Card {
  const whose = by.id === person.id ? '' : `, asked for by ${person.name}`;
  return card({
    title: `${decision.charAt(0).toUpperCase()}${decision.slice(1)} by ${by.name}${whose}`,
    tone: 'neutral',
    text: codeBlock(text),
  });
}
