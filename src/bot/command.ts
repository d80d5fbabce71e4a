/**
 * The one abstraction: everything that anyone can make the robot do is a command, declared once. Grammar, argument types,
 * help, completion, permission, audit, rate limit, metrics, the reference page and the tools of the AI come from it.
 */

import type { ArgType, FlagType } from './args.ts';
import type { Action, Content } from './card.ts';
import type { Address, Person } from './chat.ts';
import { compileUsage, type Pattern } from './grammar.ts';
import type { LiveAnswer } from './live.ts';
import { matchLine } from './match.ts';
import type { Services } from './services.ts';
import type { CommandTable } from './table.ts';
import { normalise, tokenise } from './tokens.ts';

/** How a command came in; `robot`: the robot acts by itself. */
export type Via = 'typed' | 'button' | 'ai' | 'api' | 'robot';

/** Where a command came from. */
export interface Here extends Address {
  /** Only the people in it see what is said. */
  readonly private: boolean;
}

export interface Invocation<Values> {
  readonly args: Values;
  readonly person: Person;
  readonly room: Here;
  /** The line as it was understood. */
  readonly text: string;
  readonly via: Via;
  /** The message that it came in by, unique: `web:ops:812`. */
  readonly source: string | undefined;
  readonly now: Date;
  readonly services: Services;
  /** What others have approved, if they had to: the facts of {@link ApprovalNeed}. */
  readonly approved: Facts | undefined;
  /** Who they are; nobody if nobody had to. */
  readonly approvedBy: readonly Person[];
  /**
   * Says that the change goes on after `run` has returned. Whoever takes it over ends the audit row of this number;
   * undefined for a command that only reads.
   */
  handOver(): number | undefined;
  /** Answers where the command came from. */
  reply(content: Content): Promise<void>;
  /** Begins an answer that is shown while it is made; undefined where nobody would see it so. */
  readonly live: (() => LiveAnswer) | undefined;
  /** Posts elsewhere or under a key, durably. */
  post(address: Address, content: Content, options?: { readonly key?: string }): Promise<void>;
}

/** What an approval is about, by name. */
export type Facts = Readonly<Record<string, string | undefined>>;

/** An approval that a command waits for. */
export interface ApprovalNeed {
  /** What everybody who approves it must hold or have. */
  readonly needs: { readonly permission: string } | { readonly role: string };
  /** How many different people. */
  readonly count: number;
  /** Milliseconds that it is waited for. */
  readonly withinMs: number;
  /** What they should know of it besides the command; Markdown. */
  readonly details: string;
  /** Asked for again at every approval: when something else comes of it, the approval is void. */
  readonly facts: Facts;
}

/** What is known when a command is asked whether it must be approved. */
export interface Asking {
  readonly person: Person;
  readonly services: Services;
  readonly now: Date;
}

type Approval = string | ApprovalNeed | undefined;

type ArgTypes = Readonly<Record<string, ArgType<unknown>>>;

type ValueOf<T> = T extends FlagType ? boolean : T extends ArgType<infer V> ? V : never;

/** The usage without what stands in brackets. */
type Outside<U extends string> = U extends `${infer Before}[${string}]${infer After}`
  ? `${Before}${Outside<After>}`
  : U;
type NamesIn<U extends string> = U extends `${string}<${infer Name}>${infer After}`
  ? (Name extends `${infer Bare}...` ? Bare : Name) | NamesIn<After>
  : never;
type RequiredIn<U extends string> = NamesIn<Outside<U>>;

/** The arguments as `run` gets them: what the usage puts in brackets may be undefined, options are false by default. */
export type ValuesOf<U extends string, A extends ArgTypes> = {
  readonly [K in keyof A]: A[K] extends FlagType
    ? boolean
    : K extends RequiredIn<U>
      ? ValueOf<A[K]>
      : ValueOf<A[K]> | undefined;
};

export interface CommandSpec<U extends string, A extends ArgTypes> {
  /** `domain.verb`, unique. */
  readonly id: string;
  /** See src/bot/grammar.ts for what can be written. */
  readonly usage: U;
  /** Other ways to say it, with the same arguments. */
  readonly aliases?: readonly string[];
  /** One line for help; no full stop. */
  readonly summary: string;
  /** Lines that work; shown in help, checked when the script loads. */
  readonly examples: readonly string[];
  readonly args?: A;
  /** A change is audited, never run twice for one message, and never run by the AI itself. */
  readonly effect: 'read' | 'change';
  /** The permission it takes; `public` for everybody who can talk to the robot. */
  readonly needs: string | ((args: ValuesOf<U, A>) => string);
  /** `asker`: what it answers is nobody else's business; shown to the asker alone where the chat can do that. */
  readonly answers?: 'room' | 'asker';
  /** A question to the same person before it runs; undefined if none is needed. */
  confirm?(args: ValuesOf<U, A>): string | undefined;
  /**
   * The permission somebody else must have who approves it first, or all that it takes; undefined if nobody must. May throw what
   * stands in the way of the command.
   */
  approval?(args: ValuesOf<U, A>, asking: Asking): Approval | Promise<Approval>;
  run(invocation: Invocation<ValuesOf<U, A>>): Promise<Content | void> | Content | void;
}

/** Values by name, after parsing. */
export type Values = Readonly<Record<string, unknown>>;

/** A command as the robot keeps it: the types of its arguments are checked by its own parser from here on. */
export interface Command {
  readonly id: string;
  /** The part of the id before the dot. */
  readonly group: string;
  readonly usage: string;
  readonly patterns: readonly Pattern[];
  readonly summary: string;
  readonly examples: readonly string[];
  readonly args: ArgTypes;
  readonly effect: 'read' | 'change';
  readonly answers: 'room' | 'asker';
  readonly needs: (args: Values) => string;
  /** The permission with `*` for every argument. */
  readonly needsPattern: string;
  /** For people: `deploy:<environment>`. */
  readonly needsWords: string;
  readonly confirm: (args: Values) => string | undefined;
  readonly approval: (args: Values, asking: Asking) => Approval | Promise<Approval>;
  readonly run: (invocation: Invocation<Values>) => Promise<Content | void> | Content | void;
}

/** What a script sees of the robot to declare commands. */
export interface CommandHost {
  readonly table: CommandTable;
}

/** Makes a command from its declaration. Throws an Error that says what is wrong with the declaration. */
export function makeCommand<const U extends string, A extends ArgTypes = Record<never, never>>(
  spec: CommandSpec<U, A>,
): Command {
  const where = `command "${spec.id}"`;
  if (!/^[a-z][\w-]*(\.[a-z][\w-]*)+$/i.test(spec.id)) throw new Error(`${where}: the id must look like domain.verb`);
  const { needs } = spec;
  if (typeof needs !== 'function' && !(typeof needs === 'string' && needs !== '')) {
    throw new Error(`${where}: say who may run it: needs: 'public' or a permission such as 'deploy:production'`);
  }
  if (spec.effect !== 'read' && spec.effect !== 'change')
    throw new Error(`${where}: effect must be 'read' or 'change'`);
  if (!spec.summary) throw new Error(`${where}: the summary is missing`);

  const args: ArgTypes = spec.args ?? {};
  const compile = (usage: string): Pattern => {
    try {
      return compileUsage(usage);
    } catch (error) {
      throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
  const main = compile(spec.usage);
  const others = (spec.aliases ?? []).map(compile);
  const patterns = [main, ...others];
  for (const pattern of patterns) checkNames(where, pattern, args);
  for (const name of main.required) {
    const lacking = others.find((pattern) => !pattern.required.has(name));
    if (lacking) throw new Error(`${where}: the alias "${lacking.usage}" must take <${name}> as well`);
  }
  for (const name of Object.keys(args)) {
    if (!main.names.has(name)) throw new Error(`${where}: the argument "${name}" is not in the usage "${main.usage}"`);
  }
  for (const example of spec.examples) {
    const text = normalise(example);
    const fits = patterns.some((pattern) => matchLine(pattern, text, tokenise(text)).kind === 'match');
    if (!fits) throw new Error(`${where}: the example "${example}" does not fit "${main.usage}"`);
  }

  // The only place where values that the argument types have parsed get the static types that the declaration gave them.
  const typed = (values: Values): ValuesOf<U, A> => values as ValuesOf<U, A>;
  const permission = (values: Values): string => (typeof needs === 'function' ? needs(typed(values)) : needs);
  return {
    id: spec.id,
    group: spec.id.slice(0, spec.id.indexOf('.')),
    usage: spec.usage,
    patterns,
    summary: spec.summary,
    examples: spec.examples,
    args,
    effect: spec.effect,
    answers: spec.answers ?? 'room',
    needs: permission,
    needsPattern: permission(new Proxy({}, { get: () => '*' })),
    needsWords: permission(new Proxy({}, { get: (_, name) => `<${String(name)}>` })),
    confirm: (values) => spec.confirm?.(typed(values)),
    approval: (values, asking) => spec.approval?.(typed(values), asking),
    run: (invocation) => spec.run({ ...invocation, args: typed(invocation.args) }),
  };
}

function checkNames(where: string, pattern: Pattern, args: ArgTypes): void {
  for (const name of pattern.names) {
    if (!Object.hasOwn(args, name)) throw new Error(`${where}: "${pattern.usage}" has <${name}>, which is not in args`);
  }
  for (const keyed of pattern.keyed.values()) {
    if (!keyed.takesValue && args[keyed.name]?.kind !== 'flag') {
      throw new Error(`${where}: ${keyed.typed} has no value, so its type must be arg.flag()`);
    }
  }
}

/**
 * Declares a command. Called by a script when it loads; throws an Error that names the mistake in the declaration, and the
 * robot does not start with it.
 */
export function command<const U extends string, A extends ArgTypes = Record<never, never>>(
  robot: CommandHost,
  spec: CommandSpec<U, A>,
): void {
  robot.table.add(makeCommand(spec));
}

/** A sentence addressed to the robot that is no command. */
export interface Sentence {
  readonly text: string;
  readonly person: Person;
  readonly room: Here;
  readonly now: Date;
  readonly services: Services;
  /** The usage of a command that the sentence begins like, if any. */
  readonly nearCommand: string | undefined;
  reply(content: Content): Promise<void>;
  /** As in {@link Invocation}. */
  readonly live: (() => LiveAnswer) | undefined;
  post(address: Address, content: Content, options?: { readonly key?: string }): Promise<void>;
}

/** What answers sentences that are no command. */
export interface Fallback {
  answer(sentence: Sentence): Promise<void>;
  /** The button that answers a line as a sentence where it is taken for a command with a slip in it. */
  readonly offer: ((text: string) => Action) | undefined;
}

/**
 * Says what answers sentences that are no command. One script may do so.
 *
 * @param offer a button for a line that may be a sentence or a command with a slip in it
 */
export function fallback(robot: CommandHost, answer: Fallback['answer'], offer?: (text: string) => Action): void {
  robot.table.setFallback({ answer, offer });
}
