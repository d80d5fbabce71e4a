/** The types of arguments: how a word becomes a value, what is allowed, how it is completed, and its JSON schema for tools. */

import { codeSpan } from './card.ts';
import type { Person } from './chat.ts';
import type { Services } from './services.ts';

/** The names that exist here; asked for at the moment of use, so that a changed configuration is seen. */
export interface Names {
  services(): readonly string[];
  /** Environments of one service, or of all. */
  environments(service?: string): readonly string[];
  people(): Promise<readonly Person[]>;
  rooms(): Promise<readonly string[]>;
}

export interface ArgContext {
  readonly person: Person;
  readonly room: string;
  readonly names: Names;
  readonly now: Date;
  /** Where values are looked up for a form. */
  readonly services?: Partial<Services>;
  /** What the form says of the other arguments so far. */
  readonly given?: Readonly<Record<string, string>>;
}

/** A value that can stand somewhere, and what a list calls it. */
export interface Offer {
  readonly value: string;
  /** Plain text. */
  readonly label: string;
}

/** Values that are offered; a bare one is called by itself. */
type Offers = (context: ArgContext) => readonly (Offer | string)[] | Promise<readonly (Offer | string)[]>;

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string; readonly allowed?: readonly string[] };

export interface JsonSchema {
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface ArgType<T> {
  readonly kind: string;
  /** From a word to a value. Never throws for what a person typed. */
  parse(text: string, context: ArgContext): Parsed<T> | Promise<Parsed<T>>;
  /** Values that can stand here, for completion. */
  values?(context: ArgContext): readonly string[] | Promise<readonly string[]>;
  /** The same as `values`, with what a list calls them. Others can stand here as well. */
  offers?(context: ArgContext): Promise<readonly Offer[]>;
  /** Nothing but one of `values` can stand here. */
  readonly closed?: true;
  schema(names: Names): JsonSchema;
}

/** An option without a value: `--dry-run`. False where it is not given. */
export interface FlagType extends ArgType<boolean> {
  readonly kind: 'flag';
}

/** More of a text than this is not taken. */
export const TEXT_LIMIT = 4000;

function good<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

function wrong(
  problem: string,
  allowed?: readonly string[],
): { ok: false; problem: string; allowed?: readonly string[] } {
  return allowed ? { ok: false, problem, allowed } : { ok: false, problem };
}

function quote(text: string): string {
  return codeSpan(text.slice(0, 60));
}

/** One of some names, whatever the case. */
function named(what: string, text: string, allowed: readonly string[]): Parsed<string> {
  const exact =
    allowed.find((name) => name === text) ?? allowed.find((name) => name.toLowerCase() === text.toLowerCase());
  return exact === undefined ? wrong(`there is no ${what} ${quote(text)}`, allowed) : good(exact);
}

function offering(offers: Offers | undefined): Pick<ArgType<unknown>, 'offers' | 'values'> {
  if (!offers) return {};
  const all = async (context: ArgContext): Promise<readonly Offer[]> =>
    (await offers(context)).map((offer) => (typeof offer === 'string' ? { value: offer, label: offer } : offer));
  return { offers: all, values: async (context) => (await all(context)).map(({ value }) => value) };
}

/** Any single word: a version, a name, an id. `offers` are shown while it is typed; others are taken as well. */
function word(offers?: Offers): ArgType<string> {
  return {
    kind: 'word',
    parse: (text) => (text.length <= 200 ? good(text) : wrong('that is longer than 200 characters')),
    ...offering(offers),
    schema: () => ({ type: 'string', description: 'one word' }),
  };
}

/** Text of any number of words. */
function text(): ArgType<string> {
  return {
    kind: 'text',
    parse: (typed) =>
      typed.length <= TEXT_LIMIT ? good(typed) : wrong(`that is longer than ${TEXT_LIMIT} characters`),
    schema: () => ({ type: 'string', description: 'free text' }),
  };
}

/** A whole number; `#12` and `1,000` are taken as well. */
function integer(
  range: { readonly min?: number; readonly max?: number; readonly offers?: Offers } = {},
): ArgType<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = range;
  const bounds =
    range.min !== undefined && range.max !== undefined
      ? ` from ${min} to ${max}`
      : range.min !== undefined
        ? ` of at least ${min}`
        : range.max !== undefined
          ? ` of at most ${max}`
          : '';
  return {
    kind: 'integer',
    parse(typed) {
      const digits = typed.replace(/^#/, '').replace(/(?<=\d),(?=\d{3}\b)/g, '');
      const value = Number(digits);
      if (!/^-?\d+$/.test(digits) || !Number.isSafeInteger(value))
        return wrong(`${quote(typed)} is not a whole number`);
      if (value < min || value > max) return wrong(`give a whole number${bounds}`);
      return good(value);
    },
    ...offering(range.offers),
    schema: () => ({
      type: 'integer',
      description: `a whole number${bounds}`,
      ...(range.min === undefined ? {} : { minimum: min }),
      ...(range.max === undefined ? {} : { maximum: max }),
    }),
  };
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION_LENGTH = 100;
const DURATION_PART =
  /(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)(?![a-z])\s*/gy;

/** Milliseconds in `90s`, `1h30m`, `2 hours`; undefined if it is none. */
export function parseDuration(typed: string): number | undefined {
  if (typed.length > DURATION_LENGTH) return undefined;
  const text = typed
    .trim()
    .toLowerCase()
    .replace(/\s+and\s+|,\s*/g, ' ');
  let total = 0;
  let end = 0;
  for (const part of text.matchAll(DURATION_PART)) {
    const unit = part[2] === 'ms' || part[2]?.startsWith('milli') ? 'ms' : (part[2]?.charAt(0) ?? '');
    total += Number(part[1]) * (UNITS[unit] ?? Number.NaN);
    end = part.index + part[0].length;
  }
  return end === text.length && end > 0 && Number.isFinite(total) ? total : undefined;
}

/** A length of time in milliseconds: `30s`, `15m`, `1h30m`, `2 days`. */
function duration(): ArgType<number> {
  return {
    kind: 'duration',
    parse(typed) {
      const value = parseDuration(typed);
      return value === undefined
        ? wrong(`${quote(typed)} is not a length of time`, ['30s', '15m', '2h', '7d'])
        : good(value);
    },
    values: () => ['15m', '1h', '1d', '7d'],
    schema: () => ({ type: 'string', description: 'a length of time such as 30s, 15m, 2h or 7d' }),
  };
}

/**
 * A moment as people say it: `2026-05-01`, `yesterday`, `10:30`, `in 2 hours`, `friday at 9am`; a bare length of time counts
 * back from now (`direction: 'past'`) or on from now (`'future'`). Spoken dates are read by chrono-node.
 */
function time(options: { readonly direction: 'past' | 'future' } = { direction: 'past' }): ArgType<Date> {
  const sign = options.direction === 'past' ? -1 : 1;
  return {
    kind: 'time',
    async parse(typed, { now }) {
      const length = parseDuration(typed);
      if (length !== undefined) return good(new Date(now.getTime() + sign * length));
      if (/^\d{4}-\d\d-\d\dT/.test(typed) && !Number.isNaN(Date.parse(typed))) return good(new Date(typed));
      const { casual } = await import('chrono-node/en');
      const found = casual.parse(typed, now, { forwardDate: options.direction === 'future' });
      const [only] = found;
      if (!only || found.length > 1 || only.text.length < typed.trim().length) {
        return wrong(`${quote(typed)} is not a time I understand`, ['7d', 'yesterday', '2026-05-01', '"friday 9am"']);
      }
      return good(only.start.date());
    },
    values: () => (options.direction === 'past' ? ['1h', '1d', '7d', 'yesterday'] : ['1h', 'tomorrow']),
    schema: () => ({ type: 'string', description: 'a moment such as 7d (ago), yesterday, 2026-05-01 or 10:30' }),
  };
}

/** One of some fixed words, whatever the case. */
function oneOf<const V extends string>(allowed: readonly V[]): ArgType<V> {
  return {
    kind: 'one of',
    closed: true,
    parse(typed) {
      const found = allowed.find((each) => each.toLowerCase() === typed.toLowerCase());
      return found === undefined ? wrong(`${quote(typed)} is not one of the choices`, allowed) : good(found);
    },
    values: () => allowed,
    schema: () => ({ type: 'string', description: `one of ${allowed.join(', ')}`, enum: allowed }),
  };
}

/** A service of config/services.yaml. */
function service(): ArgType<string> {
  return {
    kind: 'service',
    closed: true,
    parse: (typed, { names }) => named('service', typed, names.services()),
    values: ({ names }) => names.services(),
    schema: (names) => ({ type: 'string', description: 'a service', enum: names.services() }),
  };
}

/** An environment of config/services.yaml. */
function environment(): ArgType<string> {
  return {
    kind: 'environment',
    closed: true,
    parse: (typed, { names }) => named('environment', typed, names.environments()),
    values: ({ names }) => names.environments(),
    schema: (names) => ({ type: 'string', description: 'an environment', enum: names.environments() }),
  };
}

/** Somebody the robot knows: `@bob`, `bob`, `me`, or an id such as `web:7`. */
function person(): ArgType<Person> {
  return {
    kind: 'person',
    closed: true,
    async parse(typed, { names, person: self }) {
      const wanted = typed.replace(/^@/, '').toLowerCase();
      if (wanted === 'me' || wanted === 'myself') return good(self);
      const people = await names.people();
      const byId = people.find(
        (each) => each.id.toLowerCase() === wanted || each.id.toLowerCase() === `${self.chat}:${wanted}`,
      );
      if (byId) return good(byId);
      const found = people.filter((each) => each.name.toLowerCase() === wanted);
      const here = found.filter((each) => each.chat === self.chat);
      const [only, second] = here.length > 0 ? here : found;
      if (only && !second) return good(only);
      if (only)
        return wrong(
          `several people are called ${quote(typed)}`,
          (here.length > 0 ? here : found).map((each) => each.id),
        );
      return wrong(
        `I know nobody called ${quote(typed)}`,
        people.map((each) => each.name),
      );
    },
    values: async ({ names, person: self }) => namesOf(await names.people(), self.chat),
    schema: () => ({ type: 'string', description: 'a person, by name or id' }),
  };
}

/** What each can be called so that nobody else is meant: by name, or by id where several in that chat have it. */
function namesOf(people: readonly Person[], chat: string): readonly string[] {
  const groups = Map.groupBy(people, ({ name }) => name.toLowerCase());
  return [...groups.values()].flatMap((group) => {
    const here = group.filter((each) => each.chat === chat);
    const meant = here.length > 0 ? here : group;
    return meant.length === 1 ? meant.map(({ name }) => `@${name}`) : meant.map(({ id }) => id);
  });
}

/** A room: `#ops`, `ops`, or `here`. Gives the chat's own id. */
function room(): ArgType<string> {
  return {
    kind: 'room',
    closed: true,
    async parse(typed, { names, room: here }) {
      const wanted = typed.replace(/^#/, '');
      if (wanted.toLowerCase() === 'here') return good(here);
      return named('room', wanted, await names.rooms());
    },
    values: async ({ names }) => (await names.rooms()).map((each) => `#${each}`),
    schema: () => ({ type: 'string', description: 'a room' }),
  };
}

/** An option without a value. */
function flag(): FlagType {
  return {
    kind: 'flag',
    parse(typed) {
      if (/^(true|yes|on|1)$/i.test(typed)) return good(true);
      return /^(false|no|off|0)$/i.test(typed)
        ? good(false)
        : wrong(`${quote(typed)} is neither yes nor no`, ['yes', 'no']);
    },
    schema: () => ({ type: 'boolean', description: 'yes or no' }),
  };
}

/** Every type of argument, by the name the documentation gives it. */
export const arg = { word, text, integer, duration, time, oneOf, service, environment, person, room, flag };
