/**
 * Commands in a test room, with everything around them that they have in the real robot: permissions, audit, confirmation,
 * limits, plain answers to errors. Kept in memory.
 *
 *     const commands = inMemoryCommands({ policy: { people: { 'test:alice': ['admin'] } } });
 *     const room = await new Helper('scripts/ticket.ts').createRoom({ prepare: commands.prepare });
 *     await room.user.say('alice', 'hubot ticket open "the disk is full"');
 */

import { type Access, createAccess } from '../../src/bot/access.ts';
import type { Names } from '../../src/bot/args.ts';
import type { AuditOutcome, AuditStart, AuditTrail } from '../../src/bot/audit.ts';
import type { Person } from '../../src/bot/chat.ts';
import { createConversation } from '../../src/bot/conversation.ts';
import { createDesk } from '../../src/bot/desk.ts';
import { createDispatch, type Dispatch, type DispatchPorts } from '../../src/bot/dispatch.ts';
import type { Posts } from '../../src/bot/post.ts';
import { createProposalCards, type ProposalCards } from '../../src/bot/proposal-cards.ts';
import type { Robot } from '../../src/bot/robot.ts';
import type { Services } from '../../src/bot/services.ts';
import type { AccessPolicy } from '../../src/domain/access/policy.ts';
import type { Grant } from '../../src/domain/access/ports.ts';
import type { NewMessage } from '../../src/domain/history/ports.ts';
import type { People } from '../../src/domain/people/ports.ts';
import { redact } from '../../src/domain/privacy/redact.ts';
import { everybodyInside } from './people.ts';
import { memoryProposals } from './proposal-memory.ts';
import type { MemoryChat } from './room.ts';

export interface CommandOptions {
  /** `admin` may do everything; nobody has it unless given. */
  readonly policy?: Partial<AccessPolicy>;
  /** The services that the script uses. */
  readonly services?: Partial<Services>;
  readonly names?: Partial<Names>;
  /** Replaces parts of what the dispatch stands on. */
  readonly ports?: Partial<DispatchPorts>;
  readonly now?: () => Date;
  /** Who is who; everybody is one of the team unless given. */
  readonly people?: Pick<People, 'identity' | 'samePerson' | 'get' | 'membersOf'>;
  /** The room in which the robot and a person are alone; nobody can be written to unless given. */
  readonly direct?: (person: Person) => string | undefined;
}

export interface AuditEntry extends AuditStart {
  readonly id: number;
  outcome?: AuditOutcome;
  detail?: string | undefined;
}

export interface InMemoryCommands {
  prepare(robot: Robot, chat: MemoryChat): void;
  readonly audit: readonly AuditEntry[];
  readonly grants: readonly Grant[];
  /** What was said, as the history hears it. */
  readonly heard: readonly NewMessage[];
  /** Everything that was logged as a warning or an error. */
  readonly logged: readonly { readonly fields: object; readonly message: string }[];
  /** Set by `prepare`. */
  access(): Access;
  dispatch(): Dispatch;
  cards(): ProposalCards;
  /** Posts into the room: the same key updates its message in place. */
  readonly post: Posts['post'];
}

/** No hook has ever come in. */
const nothingHeard: Services['pipelines'] = {
  runs: async () => ({ kind: 'found', runs: [] }),
  deployments: async () => [],
  names: async () => [],
  rerun: async () => ({ kind: 'nothing' }),
};

export function inMemoryCommands(options: CommandOptions = {}): InMemoryCommands {
  const audit: AuditEntry[] = [];
  const grants: Grant[] = [];
  const heard: NewMessage[] = [];
  const logged: { fields: object; message: string }[] = [];
  const now = options.now ?? (() => new Date());
  const note = (fields: object, message: string) => void logged.push({ fields, message });
  const log = { debug: () => undefined, info: () => undefined, warn: note, error: note };
  let made: { access: Access; dispatch: Dispatch; cards: ProposalCards; post: Posts['post'] } | undefined;

  function built(): NonNullable<typeof made> {
    if (!made) throw new Error('the room is not prepared yet');
    return made;
  }

  return {
    audit,
    grants,
    heard,
    logged,
    access: () => built().access,
    dispatch: () => built().dispatch,
    cards: () => built().cards,
    post: (...args) => built().post(...args),
    prepare(robot, chat) {
      const post = memoryPost(chat);
      let count = 0;
      const { policy } = options;
      const access = createAccess({
        policy: { everyone: [], people: {}, groups: {}, ...policy, roles: { ...policy?.roles, admin: ['*'] } },
        store: {
          all: async () => grants,
          add: async (grant) => grants.push(grant) > 0,
          remove: async (personId, role) => {
            const at = grants.findIndex((grant) => grant.personId === personId && grant.role === role);
            return at >= 0 && grants.splice(at, 1).length > 0;
          },
        },
        people: options.people ?? everybodyInside,
        changed: async () => undefined,
        now,
      });
      const proposals = memoryProposals();
      const cards: ProposalCards = createProposalCards({
        proposals,
        proposed: ({ id }) => cards.invite(id),
        access,
        room: ({ room }) => chat.room(room),
        direct: async (person) => {
          const room = options.direct?.(person);
          return room === undefined ? undefined : { chat: chat.chat, room };
        },
        post,
        now,
        log,
      });
      const services: Partial<Services> = {
        access,
        people: options.people ?? everybodyInside,
        audit: memoryAudit(audit),
        pipelines: nothingHeard,
        get commands() {
          return createDesk({
            robotName: robot.name,
            table: robot.table,
            proposals,
            cards,
            access,
            dispatch,
            others: () => robot.helpCommands(),
            room: ({ room }) => chat.room(room),
            post,
          });
        },
        ...options.services,
      };
      const dispatch = createDispatch({
        table: robot.table,
        names: {
          services: () => [],
          environments: () => [],
          people: async () =>
            Object.values(robot.brain.users()).map((user) => ({ id: user.id, chat: chat.chat, name: user.name })),
          rooms: async () => [],
          ...options.names,
        },
        // A test gives the services that its script uses; another one is a mistake in the test, and fails as such.
        services: () => services as Services,
        access,
        audit: memoryAudit(audit),
        proposals,
        cards,
        rate: { perMinute: 60, take: async () => 0 },
        metrics: { finished: () => undefined },
        log,
        post,
        redact,
        now,
        newReference: () => 'reference',
        isAlone: async () => false,
        isStorageTrouble: () => false,
        ...options.ports,
      });
      made = { access, dispatch, cards, post };
      robot.pipeline = createConversation({
        dispatch,
        log,
        robot,
        chat: () => chat,
        remember: async (each) => void heard.push(each),
        keepsItself: () => false,
        post,
        isStorageTrouble: () => false,
        now,
        newReference: () => 'reference',
        newNonce: () => String(++count),
      }).pipeline;
    },
  };
}

function memoryPost(chat: MemoryChat): Posts['post'] {
  const shown = new Map<string, string>();
  let count = 0;
  return async (address, content, { key, onlyTo } = {}) => {
    const delivery = { nonce: `post${++count}`, address, content, ...(onlyTo === undefined ? {} : { onlyTo }) };
    const place = JSON.stringify([address.room, address.thread, key]);
    const earlier = key === undefined ? undefined : shown.get(place);
    if (earlier !== undefined && (await chat.update(delivery, earlier)) === 'updated') return;
    shown.set(place, (await chat.deliver(delivery)).messageId);
  };
}

/** An audit trail that keeps its rows in this list. */
export function memoryAudit(rows: AuditEntry[]): AuditTrail {
  return {
    async begin(start) {
      const earlier = rows.find(
        (row) => row.source !== undefined && row.source === start.source && row.commandId === start.commandId,
      );
      if (earlier) return { kind: 'repeated', outcome: earlier.outcome };
      const id = rows.push({ ...start, id: rows.length + 1 });
      return { kind: 'begun', id };
    },
    async end(id, outcome, detail) {
      const row = rows[id - 1];
      if (!row || row.outcome) throw new Error(`audit row ${id} cannot be closed`);
      Object.assign(row, { outcome, detail });
    },
    async refuse(start, reason) {
      rows.push({ ...start, id: rows.length + 1, outcome: 'refused', detail: reason });
    },
    async list({ personId, since, command, limit }) {
      return rows
        .filter((row) => personId === undefined || row.person.id === personId)
        .filter((row) => since === undefined || row.at >= since)
        .filter((row) => command === undefined || row.commandId === command || row.commandId.startsWith(`${command}.`))
        .toReversed()
        .slice(0, limit)
        .map((row) => ({
          id: row.id,
          at: row.at,
          finishedAt: row.at,
          personId: row.person.id,
          personName: row.person.name,
          chat: row.room.chat,
          room: row.room.room,
          private: row.room.private,
          commandId: row.commandId,
          text: row.text,
          via: row.via,
          approvedBy: row.approvedBy,
          outcome: row.outcome,
          detail: row.detail,
        }));
    },
  };
}
