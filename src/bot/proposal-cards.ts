/** The cards of a proposal: where it was asked for, and with those who could approve it. All of them say the same. */

import type { Access } from './access.ts';
import { approversOf } from './approvers.ts';
import { type Content, mention } from './card.ts';
import { type Address, addressOf, isSameRoom, type Person, type Room } from './chat.ts';
import type { Logger } from './log.ts';
import { approveCard, decidedCard, expiredCard, expiredText, proposalKey, voidCard } from './proposal-card.ts';
import type { Proposal, Proposals, Standing } from './proposals.ts';

export interface ProposalCards {
  /** Shows a new one at its places; sees to it that it ends in time, and that who could approve it is written to. */
  ask(proposal: Proposal, content: Content): Promise<void>;
  /** Shows everywhere how it stands now. */
  show(id: number): Promise<void>;
  /** Writes to those who could approve it, where their chat can do that. May be called twice. */
  invite(id: number): Promise<void>;
  /** Ends what nobody answered in time, tells whoever asked, and shows what was not shown before a crash. */
  settle(): Promise<void>;
}

export interface ProposalCardPorts {
  readonly proposals: Proposals;
  readonly access: Access;
  /** Undefined if its chat does not know it. */
  room(address: Address): Promise<Room | undefined>;
  /** Where a person and the robot talk alone; undefined where their chat cannot do that. */
  direct(person: Person): Promise<Address | undefined>;
  /** Told of each proposal before it is shown; durable: has {@link ProposalCards.invite} and, in time, `settle` called. */
  proposed(proposal: Proposal): Promise<void>;
  /** Durable; the same key updates in place. */
  post(address: Address, content: Content, options: { readonly key: string }): Promise<void>;
  now(): Date;
  readonly log: Pick<Logger, 'warn'>;
}

export function createProposalCards(ports: ProposalCardPorts): ProposalCards {
  const { proposals, post, now, log } = ports;

  /** Whatever happens while the cards are on their way: how it ended is the last word on each of them. */
  async function show(id: number, only?: readonly Address[]): Promise<void> {
    let standing = await proposals.get(id);
    for (let at = only; standing !== undefined; at = undefined) {
      for (const place of at ?? placesOf(standing)) await showAt(place, standing);
      const after = await proposals.get(id);
      if (after === undefined || signature(after) === signature(standing)) {
        if (after?.end !== undefined && at === undefined) await proposals.settled(id);
        return;
      }
      standing = after;
    }
  }

  async function showAt(place: Address, standing: Standing): Promise<void> {
    const { proposal } = standing;
    const where = isSameRoom(place, proposal.room) ? undefined : (await ports.room(proposal.room))?.name;
    const content = contentOf(standing, now(), where);
    if (content !== undefined) await post(place, content, { key: proposalKey(proposal) });
  }

  async function direct(person: Person): Promise<Address | undefined> {
    try {
      return await ports.direct(person);
    } catch (error) {
      // Everybody sees it where it was asked for.
      log.warn({ err: error, person: person.id }, 'approver could not be written to');
      return undefined;
    }
  }

  return {
    show,
    async ask(proposal, content) {
      await ports.proposed(proposal);
      for (const place of proposal.places) await post(place, content, { key: proposalKey(proposal) });
      const after = await proposals.get(proposal.id);
      // Somebody may have answered it elsewhere already: that it waits must not be the last word.
      if (after !== undefined && (after.end !== undefined || after.given.length > 0)) await show(proposal.id);
    },
    async invite(id) {
      const standing = await proposals.get(id);
      if (standing?.proposal.kind !== 'approve' || standing.end !== undefined) return;
      const { proposal } = standing;
      const places: Address[] = [];
      for (const person of await approversOf(ports, proposal)) {
        const place = await direct(person);
        if (place !== undefined && !isSameRoom(place, proposal.room)) places.push(place);
      }
      if (places.length === 0) return;
      await proposals.shownAt(id, places);
      await show(id, places);
    },
    async settle() {
      for (const { proposal, end } of await proposals.ended(now())) {
        if (end?.decision === 'expired' && proposal.kind === 'approve') {
          const text = `${mention(proposal.person)} ${expiredText(proposal)}`;
          await post(addressOf(proposal.room), text, { key: `${proposalKey(proposal)}:expired` });
        }
        await show(proposal.id);
      }
    },
  };
}

/** Undefined for a question to the same person that is still open: nothing about it changes. */
function contentOf({ proposal, given, end }: Standing, now: Date, where: string | undefined): Content | undefined {
  if (end === undefined) return proposal.kind === 'approve' ? approveCard(proposal, now, given, where) : undefined;
  const { decision, by, why } = end;
  if (decision === 'void') return voidCard(proposal, why ?? '');
  return decision === 'expired' ? expiredCard(proposal) : decidedCard(proposal, decision, by);
}

/** What the AI proposed has no card of its own until somebody answers. */
function placesOf({ proposal, end }: Standing): readonly Address[] {
  const { room, places } = proposal;
  const isElsewhere =
    end === undefined || end.decision === 'expired' || places.some((place) => isSameRoom(place, room));
  return isElsewhere ? places : [addressOf(room), ...places];
}

function signature({ given, end, proposal }: Standing): string {
  return JSON.stringify([end?.decision, given.map(({ id }) => id), proposal.places]);
}
