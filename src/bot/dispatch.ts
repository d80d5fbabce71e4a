/**
 * From a line to a command that ran: parse, limit, permission, confirmation, audit, run, outcome. The one way in for typed
 * text, buttons, the AI and the API.
 */

import type { Access } from './access.ts';
import type { ArgContext, Names } from './args.ts';
import type { AuditStart, AuditTrail } from './audit.ts';
import { type Action, type Content, card } from './card.ts';
import { type Address, addressOf, type Person } from './chat.ts';
import type { ApprovalNeed, Command, Facts, Here, Invocation, Sentence, Values, Via } from './command.ts';
import { type ErrorCode, Failure, fail, failureText } from './errors.ts';
import { leadingWords } from './grammar.ts';
import { visibleCommands } from './help.ts';
import type { LiveAnswer } from './live.ts';
import type { Logger } from './log.ts';
import { type Mismatch, matchLine } from './match.ts';
import { approveCard, confirmCard } from './proposal-card.ts';
import type { ProposalCards } from './proposal-cards.ts';
import type { Proposal, Proposals, Terms } from './proposals.ts';
import { isSentence, mayBeSentence, type WrongValue } from './sentence.ts';
import type { Services } from './services.ts';
import type { CommandTable, Entry, Suggested } from './table.ts';
import { normalise, type Token, tokenise } from './tokens.ts';

/** A longer line is not read. */
const LINE_LIMIT = 8000;
/** A longer line is not put on a button. */
const OFFER_LIMIT = 300;
const CONFIRM_WITHIN_MS = 10 * 60_000;
const APPROVE_WITHIN_MS = 60 * 60_000;
/** What stands in the way for the moment only: it makes no proposal void. */
const PASSING: readonly ErrorCode[] = ['deploy.unclear', 'deploy.source', 'access.unavailable', 'storage.unavailable'];

export interface Line {
  /** Without the robot's name. */
  readonly text: string;
  readonly person: Person;
  readonly room: Here;
  readonly via: Via;
  /** The message it came in by, unique: `web:812`. */
  readonly source?: string;
  /** Somebody answered for it already. */
  readonly answered?: {
    readonly confirmed: boolean;
    readonly approvedBy?: readonly Person[];
    readonly approved?: Facts;
  };
  /** The asker has said with the line that no question is needed before it runs. */
  readonly isSure?: boolean;
  /** It came in a way that only the asker sees: so is what answers it, unless it is a change, which concerns everybody. */
  readonly quiet?: boolean;
  /** What the asker has made of an earlier message: what only reads is run. */
  readonly edited?: boolean;
  /** Shows the answer; for chats, posts it where the line came from. To the asker alone where that is possible and said so. */
  reply(content: Content, to?: 'asker'): Promise<void>;
  /** As {@link reply}, for what a change has to say: no correction of the line takes its place. */
  readonly lasting?: Line['reply'];
  /** Told what went wrong, in place of an answer that says so; for programs, which go by the code. */
  failed?(failure: Failure): Promise<void>;
  /** Begins an answer that is shown while it is made. Left out where nobody would see it so. */
  readonly live?: () => LiveAnswer;
}

export type Handled = 'succeeded' | 'failed' | 'refused' | 'asked';

export type Outcome = { readonly kind: 'handled'; readonly outcome: Handled } | NotACommand;

/** Nothing ran. Other listeners may know the line; if they do not, {@link Dispatch.answer} tells the person why. */
export interface NotACommand {
  readonly kind: 'not a command';
  /** What keeps it from being a command; undefined if it reads like plain language. */
  readonly failure: Failure | undefined;
  /** The usage of a command that it begins like. */
  readonly nearCommand: string | undefined;
  /** A button that takes the line for a sentence after all, where it may be one. */
  readonly offer?: Action | undefined;
}

/** Counts for /metrics. */
export interface CommandMetrics {
  finished(commandId: string, outcome: string, seconds: number): void;
}

/** Lets so many commands a minute through for one person. */
export interface RateLimit {
  readonly perMinute: number;
  /** Seconds to wait; 0 if the command may run. */
  take(personId: string): Promise<number>;
}

export interface DispatchPorts {
  readonly table: CommandTable;
  readonly names: Names;
  readonly services: () => Services;
  readonly access: Access;
  readonly audit: AuditTrail;
  readonly proposals: Proposals;
  readonly cards: Pick<ProposalCards, 'ask'>;
  readonly rate: RateLimit;
  readonly metrics: CommandMetrics;
  readonly log: Logger;
  post(address: Address, content: Content, options?: { readonly key?: string }): Promise<void>;
  redact(text: string): string;
  now(): Date;
  /** A short id under which an error is found in the log. */
  newReference(): string;
  /** Does nobody else see what is said there? */
  isAlone(room: Here): Promise<boolean>;
  /** Does this error mean that the database is away? */
  isStorageTrouble(error: unknown): boolean;
}

export interface Dispatch {
  /**
   * Whether anything may hear what this person says besides {@link run} and {@link answer}, which tell an outsider why not.
   * Never throws: whoever cannot be told from an outsider is one.
   */
  admits(person: Person): Promise<boolean>;
  /** Runs a line if it is a command. Never throws: what goes wrong with a command is told to the person. */
  run(line: Line): Promise<Outcome>;
  /** Answers a line that nothing understood: says what is wrong with it, or lets the script of {@link Sentence}s answer. Never throws. */
  answer(line: Line, reason: NotACommand): Promise<void>;
  /** Would the same come of what waits for approval as when it was asked for? */
  stillHolds(proposal: Proposal): Promise<Held>;
  /** Runs what was proposed, as the person who asked for it. */
  runProposal(proposal: Proposal, reply: Line['reply'], approvedBy: readonly Person[]): Promise<Handled>;
}

export type Held =
  | { readonly kind: 'holds' }
  /** `not now`: that cannot be found out, or something stands in the way for the moment. */
  | { readonly kind: 'void' | 'not now'; readonly failure: Failure };

interface Parsed {
  readonly command: Command;
  readonly values: Values;
}

type Reading =
  | { readonly kind: 'command'; readonly parsed: Parsed }
  | {
      readonly kind: 'failure';
      readonly failure: Failure;
      /** What is wrong with the line; undefined if it is a slip, whatever else it says. */
      readonly misfit: 'missing' | 'excess' | WrongValue | undefined;
      readonly near: string | undefined;
    }
  | { readonly kind: 'nothing' };

/** A line that has the form of a usage, with a value that its argument does not take. */
interface BadValue {
  readonly failure: Failure;
  readonly wrong: WrongValue;
  readonly entry: Entry;
}

/** How many words name the command, before its arguments. */
function wordsBefore({ pattern }: Entry): number {
  return leadingWords(pattern).length;
}

/** `deploys log` lacks a number; that `log` is no service of `deploys [service]` would be a strange thing to say. */
function isAboutValue(bad: BadValue, other: Entry | undefined): boolean {
  return other === undefined || wordsBefore(other) <= wordsBefore(bad.entry);
}

export function createDispatch(ports: DispatchPorts): Dispatch {
  const { table, names, access, audit, proposals, rate, metrics, log } = ports;

  async function read(text: string, tokens: readonly Token[], context: ArgContext): Promise<Reading> {
    const { entries, known } = table.find(tokens);
    let best: { readonly mismatch: Mismatch; readonly entry: Entry } | undefined;
    let bad: BadValue | undefined;
    for (const entry of entries) {
      const match = matchLine(entry.pattern, text, tokens);
      if (match.kind !== 'match') {
        if (!best || match.depth > best.mismatch.depth) best = { mismatch: match, entry };
        continue;
      }
      for (const raw of match.candidates) {
        const values = await readValues(entry, raw, context);
        if (!('failure' in values))
          return { kind: 'command', parsed: { command: entry.command, values: values.values } };
        bad ??= { ...values, entry };
      }
    }
    const { lines: suggestions, fit } = await meant(table.suggest(tokens), context.person);
    const unknown = fail('command.unknown', { typed: text.slice(0, 80), suggestions });
    if (bad && isAboutValue(bad, best?.entry)) {
      const slip =
        suggestions.length > 0 && bad.wrong.typed === tokens[known]?.text && wordsBefore(bad.entry) === known;
      const near = entries[0]?.command.usage;
      if (slip) return { kind: 'failure', failure: unknown, misfit: undefined, near };
      return { kind: 'failure', failure: bad.failure, misfit: bad.wrong, near };
    }
    if (best) {
      const { mismatch, entry } = best;
      const slip = suggestions.length > 0 && mismatch.kind === 'excess' && wordsBefore(entry) === known;
      const failure = slip ? unknown : mismatchFailure(mismatch, entry);
      const misfit = mismatch.kind === 'excess' && !slip ? 'excess' : 'missing';
      return { kind: 'failure', failure, misfit, near: entry.command.usage };
    }
    if (known === 0 && suggestions.length === 0) return { kind: 'nothing' };
    const misfit = fit ? 'missing' : 'excess';
    if (suggestions.length > 0) return { kind: 'failure', failure: unknown, misfit, near: undefined };
    const longer = await meant(table.next(tokens.slice(0, known).map((token) => token.text)), context.person);
    const failure = fail('command.unknown', { typed: text.slice(0, 80), suggestions: longer.lines });
    return { kind: 'failure', failure, misfit, near: undefined };
  }

  /** Of the lines that may have been meant, those of commands that the person may run; only those that are whole, if any is. */
  async function meant(
    suggested: readonly Suggested[],
    person: Person,
  ): Promise<{ readonly lines: readonly string[]; readonly fit: boolean }> {
    const lines: string[] = [];
    const whole: string[] = [];
    for (const { line, entries } of suggested) {
      const visible = await visibleCommands([...new Set(entries.map(({ command }) => command))], person, access);
      if (visible.length === 0) continue;
      lines.push(line);
      const tokens = tokenise(line);
      const fits = entries.some(
        ({ command, pattern }) => visible.includes(command) && matchLine(pattern, line, tokens).kind === 'match',
      );
      if (fits) whole.push(line);
    }
    const fit = whole.length > 0;
    return { lines: (fit ? whole : lines).slice(0, 3), fit };
  }

  function mismatchFailure(mismatch: Mismatch, { command, pattern }: Entry): Failure {
    const { usage } = pattern.usage === command.usage ? command : pattern;
    const [example] = command.examples;
    if (mismatch.kind === 'missing') return fail('command.incomplete', { missing: mismatch.what, usage, example });
    if (mismatch.kind === 'excess') {
      const { what, expected } = mismatch;
      return fail('command.excess', { excess: what.slice(0, 80), expected, usage, example });
    }
    const allowed = [...pattern.keyed.values()].map((keyed) => keyed.typed);
    return fail('command.flag', { flag: mismatch.what.slice(0, 80), allowed, usage });
  }

  async function readValues(
    { command, pattern }: Entry,
    raw: ReadonlyMap<string, string | true>,
    context: ArgContext,
  ): Promise<{ readonly values: Values } | { readonly failure: Failure; readonly wrong: WrongValue }> {
    const values: Record<string, unknown> = {};
    for (const [name, type] of Object.entries(command.args)) {
      const typed = raw.get(name);
      if (typed === undefined || typed === true) {
        values[name] = type.kind === 'flag' ? typed === true : undefined;
        continue;
      }
      const result = type.parse(typed, context);
      const parsed = result instanceof Promise ? await result : result;
      if (!parsed.ok) {
        const failure = fail('command.value', {
          argument: name,
          problem: parsed.problem,
          allowed: parsed.allowed ?? [],
          usage: pattern.usage,
        });
        const keyed = [...pattern.keyed.values()].some((each) => each.name === name);
        const wrong = { typed, allowed: parsed.allowed ?? [], optional: !keyed && !pattern.required.has(name) };
        return { failure, wrong };
      }
      values[name] = parsed.value;
    }
    return { values };
  }

  async function run(line: Line): Promise<Outcome> {
    try {
      // What was confirmed or approved runs as it was shown: read a second time it might mean something else.
      const text = line.answered ? line.text : normalise(line.text);
      if (text.length > LINE_LIMIT) throw fail('command.long', { limit: LINE_LIMIT });
      const tokens = tokenise(text);
      const now = ports.now();
      const reading = await read(text, tokens, { person: line.person, room: line.room.room, names, now });
      if (reading.kind === 'nothing') return { kind: 'not a command', failure: undefined, nearCommand: undefined };
      if (reading.kind === 'failure') {
        return { kind: 'not a command', nearCommand: reading.near, ...sentenceOrSlip(line, text, reading) };
      }
      return await runCommand(line, text, reading.parsed, now);
    } catch (error) {
      await explain(line, undefined, error);
      return { kind: 'handled', outcome: 'failed' };
    }
  }

  function sentenceOrSlip(
    { via }: Line,
    text: string,
    { failure, misfit }: Extract<Reading, { kind: 'failure' }>,
  ): Pick<NotACommand, 'failure' | 'offer'> {
    // A program sends commands and nothing else.
    if (via === 'api' || table.fallback === undefined || misfit === undefined) return { failure };
    if (isSentence(text, typeof misfit === 'object' ? misfit : undefined)) return { failure: undefined };
    const may = text.length <= OFFER_LIMIT && mayBeSentence(text, misfit);
    return { failure, offer: may ? table.fallback.offer?.(text) : undefined };
  }

  async function runCommand(asked: Line, text: string, { command, values }: Parsed, now: Date): Promise<Outcome> {
    const started = performance.now();
    const finish = (outcome: Handled): Outcome => {
      metrics.finished(command.id, outcome, (performance.now() - started) / 1000);
      return { kind: 'handled', outcome };
    };
    const start: AuditStart | undefined =
      command.effect === 'change'
        ? {
            at: now,
            person: asked.person,
            room: asked.room,
            commandId: command.id,
            text: ports.redact(text),
            args: auditArgs(values, ports.redact),
            via: asked.via,
            source: asked.source,
            approvedBy: asked.answered?.approvedBy?.map(({ name, id }) => `${name} (${id})`).join(', '),
          }
        : undefined;
    const line = start && !asked.edited ? { ...asked, reply: asked.lasting ?? asked.reply } : asked;
    const answer = (content: Content): Promise<void> => line.reply(content, readerOf(line, command));
    try {
      if (line.edited && start) throw fail('command.edited', {});
      await allow(line, command, values);
    } catch (error) {
      if (start) await audit.refuse(start, error instanceof Failure ? error.code : 'internal');
      await explain(line, command, error);
      return finish('refused');
    }
    try {
      if (await askFirst(line, text, command, values, now)) return finish('asked');
    } catch (error) {
      if (start) await audit.refuse(start, error instanceof Failure ? error.code : 'internal');
      await explain(line, command, error);
      return finish('refused');
    }

    let auditId: number | undefined;
    let goesOn = false;
    const handOver = (): number | undefined => {
      goesOn = true;
      return auditId;
    };
    try {
      if (start) {
        const begun = await audit.begin(start);
        if (begun.kind === 'repeated') throw fail('command.repeated', { state: begun.outcome ?? 'not finished' });
        auditId = begun.id;
      }
      const result = await command.run(invocation({ ...line, reply: answer }, text, values, now, handOver));
      if (auditId !== undefined && !goesOn) await audit.end(auditId, 'succeeded', undefined, ports.now());
      if (result !== undefined) await answer(result);
      return finish('succeeded');
    } catch (error) {
      const reference = await explain(line, command, error);
      if (auditId !== undefined) await endFailed(auditId, error, reference);
      return finish('failed');
    }
  }

  /** The audit row must not stay open when the database stumbled: if this fails as well, the row is closed at the next start. */
  async function endFailed(auditId: number, error: unknown, reference: string | undefined): Promise<void> {
    const detail = error instanceof Failure ? error.code : `internal ${reference ?? ''}`.trim();
    try {
      await audit.end(auditId, 'failed', detail, ports.now());
    } catch (cause) {
      log.error({ err: cause, auditId }, 'audit row not closed');
    }
  }

  async function allow(line: Line, command: Command, values: Values): Promise<void> {
    // What was asked for was counted when it was asked for.
    if (!line.answered) await checkRate(line.person);
    if (line.via === 'ai' && command.effect === 'change') throw fail('command.proposal', { usage: command.usage });
    const permission = command.needs(values);
    if (permission === 'public') await access.admit(line.person);
    else await access.require(line.person, permission);
  }

  /** Throws if the person sent too much of late. */
  async function checkRate(person: Person): Promise<void> {
    const wait = await rate.take(person.id);
    if (wait > 0) throw fail('command.rate', { seconds: wait, limit: rate.perMinute });
  }

  /** What the command must be approved by; undefined if it need not be. */
  async function needOf(
    person: Person,
    command: Command,
    values: Values,
    now: Date,
  ): Promise<ApprovalNeed | undefined> {
    const need = await command.approval(values, { person, services: ports.services(), now });
    if (typeof need !== 'string') return need;
    return { needs: { permission: need }, count: 1, withinMs: APPROVE_WITHIN_MS, details: '', facts: {} };
  }

  async function stillHolds(proposal: Proposal): Promise<Held> {
    const { text, person, room, permission, terms } = proposal;
    try {
      const now = ports.now();
      const reading = await read(text, tokenise(text), { person, room: room.room, names, now });
      if (reading.kind !== 'command') {
        const failure = reading.kind === 'failure' ? reading.failure : undefined;
        return { kind: 'void', failure: failure ?? fail('command.unknown', { typed: text, suggestions: [] }) };
      }
      const need = await needOf(person, reading.parsed.command, reading.parsed.values, now);
      const isSame =
        need !== undefined &&
        sameTerms(termsOf(need), terms ?? { count: 1, details: '', facts: {} }) &&
        ('permission' in need.needs ? need.needs.permission : undefined) === permission;
      return isSame ? { kind: 'holds' } : { kind: 'void', failure: fail('proposal.changed', {}) };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { kind: PASSING.includes(error.code) ? 'not now' : 'void', failure: error };
    }
  }

  /** True if the command now waits for somebody's word. */
  async function askFirst(line: Line, text: string, command: Command, values: Values, now: Date): Promise<boolean> {
    const question = line.answered?.confirmed || line.isSure ? undefined : command.confirm(values);
    const need = line.answered?.approvedBy === undefined ? await needOf(line.person, command, values, now) : undefined;
    if (question === undefined && need === undefined) return false;
    if (question !== undefined && line.via === 'api') throw fail('api.confirm', { question });
    // A proposal keeps the command as typed; a secret must not be kept, so such a command cannot wait.
    if (ports.redact(text) !== text) throw fail('command.secret', {});
    const kind = question === undefined ? 'approve' : 'confirm';
    if (kind === 'approve' && (await ports.isAlone(line.room))) throw fail('proposal.alone', {});
    const within = kind === 'confirm' ? CONFIRM_WITHIN_MS : (need?.withinMs ?? APPROVE_WITHIN_MS);
    const proposal = await proposals.open({
      kind,
      person: line.person,
      room: line.room,
      text,
      permission: need && 'permission' in need.needs ? need.needs.permission : undefined,
      expiresAt: new Date(now.getTime() + within),
      ...(need === undefined || kind === 'confirm' ? {} : { terms: termsOf(need) }),
      // What the AI shows is a part of its answer.
      places: line.via === 'ai' ? [] : [addressOf(line.room)],
    });
    const asked = kind === 'confirm' ? confirmCard(proposal, question ?? '') : approveCard(proposal, now);
    if (line.via === 'ai') await line.reply(asked);
    await ports.cards.ask(proposal, asked);
    return true;
  }

  function invocation(
    line: Line,
    text: string,
    args: Values,
    now: Date,
    handOver: () => number | undefined,
  ): Invocation<Values> {
    return {
      args,
      person: line.person,
      room: line.room,
      text,
      via: line.via,
      source: line.source,
      now,
      handOver,
      services: ports.services(),
      approved: line.answered?.approved,
      approvedBy: line.answered?.approvedBy ?? [],
      reply: line.reply,
      live: line.live,
      post: ports.post,
    };
  }

  /** Tells the person what went wrong. Returns the reference under which an unexpected error is in the log. */
  async function explain(
    line: Line,
    command: Command | undefined,
    error: unknown,
    offer?: Action,
  ): Promise<string | undefined> {
    let failure = error instanceof Failure ? error : undefined;
    let reference: string | undefined;
    if (!failure) {
      reference = ports.newReference();
      failure = fail(ports.isStorageTrouble(error) ? 'storage.unavailable' : 'internal', { reference });
    }
    if (reference !== undefined || failure.cause !== undefined) {
      log.error({ err: error, reference, command: command?.id }, 'command failed');
    }
    try {
      const text = failureText(failure);
      if (line.failed) await line.failed(failure);
      else
        await line.reply(
          offer ? card({ title: 'That is no command', tone: 'warning', text, actions: [offer] }) : text,
          // Nobody else sees who pressed what. What was confirmed or approved concerns the room.
          line.via === 'button' && !line.answered ? 'asker' : readerOf(line),
        );
    } catch (cause) {
      log.error({ err: cause, reference, command: command?.id }, 'error not told');
    }
    return reference;
  }

  return {
    run,
    stillHolds,
    async admits(person) {
      try {
        return await access.admits(person);
      } catch (error) {
        log.error({ err: error, person: person.id }, 'rights not known, message kept from listeners');
        return false;
      }
    },
    async answer(line, { failure, nearCommand, offer }) {
      const { fallback } = table;
      try {
        await checkRate(line.person);
        await access.admit(line.person);
        if (failure) throw failure;
        if (!fallback) throw fail('command.unknown', { typed: normalise(line.text).slice(0, 80), suggestions: [] });
        const sentence: Sentence = {
          text: normalise(line.text).slice(0, LINE_LIMIT),
          person: line.person,
          room: line.room,
          now: ports.now(),
          services: ports.services(),
          nearCommand,
          reply: (content) => line.reply(content, readerOf(line)),
          live: line.live,
          post: ports.post,
        };
        await fallback.answer(sentence);
      } catch (error) {
        await explain(line, undefined, error, error === failure ? offer : undefined);
      }
    },
    async runProposal(proposal, reply, approvedBy) {
      const line: Line = {
        text: proposal.text,
        person: proposal.person,
        room: proposal.room,
        via: 'button',
        source: `proposal:${proposal.id}`,
        answered: {
          confirmed: true,
          ...(approvedBy.length > 0 ? { approvedBy, approved: proposal.terms?.facts ?? {} } : {}),
        },
        reply,
      };
      try {
        // Whichever account approves: never the one who asked.
        for (const approver of approvedBy) {
          if (await access.samePerson(proposal.person, approver)) throw fail('proposal.own', {});
        }
      } catch (error) {
        await explain(line, undefined, error);
        return 'refused';
      }
      const outcome = await run(line);
      if (outcome.kind === 'handled') return outcome.outcome;
      await explain(line, undefined, outcome.failure ?? fail('command.unknown', { typed: line.text, suggestions: [] }));
      return 'failed';
    },
  };
}

function termsOf({ needs, count, details, facts }: ApprovalNeed): Terms {
  return { count, details, facts, ...('role' in needs ? { role: needs.role } : {}) };
}

/** Whether the same is asked of the same; how it is described does not matter. */
function sameTerms(one: Terms, other: Terms): boolean {
  const names = new Set([...Object.keys(one.facts), ...Object.keys(other.facts)]);
  return (
    one.count === other.count &&
    one.role === other.role &&
    [...names].every((name) => one.facts[name] === other.facts[name])
  );
}

/** Who sees an answer: the asker alone if it is a private matter, or came in privately and changes nothing. */
function readerOf(line: Line, command?: Command): 'asker' | undefined {
  if (command?.answers === 'asker') return 'asker';
  return line.quiet && command?.effect !== 'change' ? 'asker' : undefined;
}

/** The arguments for the audit row: plain JSON, without secrets. */
function auditArgs(values: Values, redact: (text: string) => string): Record<string, unknown> {
  const plainValues = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    plainValues.map(([name, value]) => [name, typeof value === 'string' ? redact(value) : value]),
  );
}
