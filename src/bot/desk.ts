/** What the commands about commands use: help, confirmation, approval. */

import type { Access } from './access.ts';
import { mayApprove } from './approvers.ts';
import { type Content, plain } from './card.ts';
import { type Address, addressOf, isSameRoom, type Person, type Room } from './chat.ts';
import type { Command, Invocation } from './command.ts';
import type { Dispatch } from './dispatch.ts';
import { fail, failureText } from './errors.ts';
import { linesOfScripts } from './help.ts';
import { proposalKey } from './proposal-card.ts';
import type { ProposalCards } from './proposal-cards.ts';
import type { Decision, Proposal, Proposals } from './proposals.ts';
import { sees } from './sees.ts';
import type { CommandTable } from './table.ts';

type Asked = Pick<Invocation<unknown>, 'person' | 'room' | 'source' | 'now' | 'reply' | 'via'>;

export interface CommandDesk {
  /** The name that people address the robot by. */
  readonly robotName: string;
  all(): readonly Command[];
  /** Help lines of plain Hubot scripts, without those that a command of ours answers. */
  others(): readonly string[];
  /** Runs what the same person was asked about. Throws `proposal.gone`, `proposal.other`. */
  confirm(code: string, asked: Asked): Promise<void>;
  /** Says nothing where the card that was pressed says it. */
  cancel(code: string, asked: Asked): Promise<Content | void>;
  /** What waits for this person's word, oldest first: what others ask, and what the person was asked. */
  waiting(person: Person, now: Date): Promise<readonly Proposal[]>;
  /**
   * Runs what somebody else asked for, when enough different people want it; says so where that is not seen. Throws
   * `proposal.gone`, `proposal.own`, `proposal.role`, `proposal.twice`, `access.denied`, and what stands in the way by now.
   */
  approve(code: string, asked: Asked): Promise<Content | void>;
  /** As `cancel`. */
  refuse(code: string, asked: Asked): Promise<Content | void>;
}

export interface DeskPorts {
  readonly robotName: string;
  readonly table: CommandTable;
  readonly proposals: Proposals;
  readonly cards: Pick<ProposalCards, 'show'>;
  readonly access: Access;
  readonly dispatch: Dispatch;
  others(): readonly string[];
  /** Undefined if its chat does not know it. */
  room(address: Address): Promise<Room | undefined>;
  /** Durable; the same key updates in place. */
  post(address: Address, content: Content, options: { readonly key: string }): Promise<void>;
}

export function createDesk(ports: DeskPorts): CommandDesk {
  const { robotName, table, proposals, cards, access, dispatch, others, post } = ports;

  /** Whoever pressed a button of the card has it before their eyes, and it now says what was decided. */
  function isShown({ room, places }: Proposal, asked: Asked): boolean {
    return asked.via === 'button' && [room, ...places].some((place) => isSameRoom(place, asked.room));
  }

  /**
   * An open proposal of that kind that the asker can see. Who is asked whether they are sure answers where they were asked; who
   * approves may do so from anywhere.
   */
  async function find(code: string, kind: Proposal['kind'], { person, room, source, now }: Asked): Promise<Proposal> {
    const proposal = await proposals.find(code.toLowerCase(), source, now);
    if (!proposal || proposal.kind !== kind) throw fail('proposal.gone', { code });
    const fromElsewhere = kind === 'approve' && (await sees(ports, person, proposal.room));
    if (!isSameRoom(proposal.room, room) && !fromElsewhere) throw fail('proposal.gone', { code });
    return proposal;
  }

  /** Answers in the room where it was asked for. */
  function replyThere({ id, room }: Proposal): Asked['reply'] {
    let count = 0;
    return (content) => post(addressOf(room), content, { key: `${proposalKey({ id })}:answer:${++count}` });
  }

  async function decide(
    proposal: Proposal,
    decision: Exclude<Decision, 'void' | 'expired'>,
    { person, source, now }: Asked,
    by: readonly Person[] = [person],
  ): Promise<void> {
    const first = await proposals.decide(proposal, decision, { person, source, by }, now);
    if (!first) throw fail('proposal.gone', { code: proposal.code });
    await cards.show(proposal.id);
  }

  /** Throws if something else would come of it by now: then nobody can approve it any more, and its card says so. */
  async function mustStillHold(proposal: Proposal, { person, source, now }: Asked): Promise<void> {
    const held = await dispatch.stillHolds(proposal);
    if (held.kind === 'holds') return;
    const why = failureText(held.failure);
    const isFirst = held.kind === 'void' && (await proposals.decide(proposal, 'void', { person, source, why }, now));
    if (isFirst) await cards.show(proposal.id);
    throw held.failure;
  }

  /** Those of them who may approve it, each person once. */
  async function counted(proposal: Proposal, given: readonly Person[]): Promise<readonly Person[]> {
    const different: Person[] = [];
    for (const person of given) {
      const others = await Promise.all([proposal.person, ...different].map((one) => access.samePerson(one, person)));
      if (!others.includes(true) && (await mayApprove(access, person, proposal))) different.push(person);
    }
    return different;
  }

  async function own(code: string, asked: Asked): Promise<Proposal> {
    const proposal = await find(code, 'confirm', asked);
    const { identity } = await access.rightsOf(asked.person);
    if (!identity.linked.includes(proposal.person.id)) throw fail('proposal.other', { person: proposal.person.name });
    return proposal;
  }

  /** A proposal of somebody else that this person may decide. No account of who asked for it may. */
  async function foreign(code: string, asked: Asked): Promise<Proposal> {
    const proposal = await find(code, 'approve', asked);
    if (asked.via === 'api') throw fail('proposal.person', {});
    if (await access.samePerson(proposal.person, asked.person)) throw fail('proposal.own', {});
    const { permission, terms } = proposal;
    if (terms?.role !== undefined) {
      await access.admit(asked.person);
      if (!(await mayApprove(access, asked.person, proposal))) throw fail('proposal.role', { role: terms.role });
    } else if (permission === undefined) throw fail('proposal.gone', { code });
    else await access.require(asked.person, permission);
    return proposal;
  }

  return {
    robotName,
    all: () => table.all(),
    others: () => linesOfScripts(others(), table, robotName),
    async waiting(person, now) {
      const found: Proposal[] = [];
      const { identity } = await access.rightsOf(person);
      for (const proposal of await proposals.unanswered(now)) {
        const { kind, room } = proposal;
        if (kind === 'confirm') {
          if (identity.linked.includes(proposal.person.id)) found.push(proposal);
          continue;
        }
        if (!(await mayApprove(access, person, proposal))) continue;
        if (await access.samePerson(proposal.person, person)) continue;
        if (await sees(ports, person, room)) found.push(proposal);
      }
      return found;
    },
    async confirm(code, asked) {
      const proposal = await own(code, asked);
      await decide(proposal, 'confirmed', asked);
      await dispatch.runProposal(proposal, asked.reply, []);
    },
    async cancel(code, asked) {
      const proposal = await own(code, asked);
      await decide(proposal, 'cancelled', asked);
      return isShown(proposal, asked) ? undefined : 'Cancelled; nothing was done.';
    },
    async approve(code, asked) {
      const proposal = await foreign(code, asked);
      await mustStillHold(proposal, asked);
      const count = proposal.terms?.count ?? 1;
      const by =
        count === 1
          ? [asked.person]
          : await counted(proposal, await proposals.approve(proposal, asked.person, asked.now));
      const more = count - by.length;
      if (more > 0) {
        if (!by.some(({ id }) => id === asked.person.id)) throw fail('proposal.twice', { more });
        await cards.show(proposal.id);
        if (isShown(proposal, asked)) return undefined;
        return `Approved; ${more === 1 ? 'one more person' : `${more} more people`} must approve it as well.`;
      }
      await decide(proposal, 'approved', asked, by);
      if (isSameRoom(proposal.room, asked.room)) {
        await dispatch.runProposal(proposal, asked.reply, by);
        return undefined;
      }
      const outcome = await dispatch.runProposal(proposal, replyThere(proposal), by);
      return `Approved; what came of it is told where ${plain(proposal.person.name)} asked for it (${outcome}).`;
    },
    async refuse(code, asked) {
      const proposal = await foreign(code, asked);
      await decide(proposal, 'refused', asked);
      return isShown(proposal, asked) ? undefined : 'Refused; nothing was done.';
    },
  };
}
