/** A command as a form, for chats that can show one: what it still needs to be told, from its declaration only. */

import type { Access } from './access.ts';
import type { ArgContext, ArgType, Names, Offer } from './args.ts';
import type { Person } from './chat.ts';
import type { Command } from './command.ts';
import { inTime } from './deadline.ts';
import { fail } from './errors.ts';
import { type Element, leadingWords, type Pattern } from './grammar.ts';
import { visibleCommands } from './help.ts';
import { findKeyed, matchLine } from './match.ts';
import { isSentence } from './sentence.ts';
import type { Services } from './services.ts';
import type { CommandTable, Entry } from './table.ts';
import { normalise, type Token, tokenise } from './tokens.ts';
import { lineFor } from './tools.ts';

/** One thing that a form asks for. */
export interface FormField {
  /** As in the arguments of the command. */
  readonly name: string;
  readonly label: string;
  readonly required: boolean;
  /**
   * `choice`: one of its values and nothing else. `offered`: a word that `options` has some of; others are taken as well. `text`: any
   * number of words.
   */
  readonly kind: 'word' | 'text' | 'choice' | 'offered' | 'flag';
  /** What was given already; for a choice, one of its values. */
  readonly value?: string;
  /** Plain text. */
  readonly hint?: string;
  /** All values of a choice. */
  readonly values?: readonly string[];
}

/** What a command still needs to be told. */
export interface Form {
  readonly commandId: string;
  /** The words that name the command: `alerts ack`. */
  readonly title: string;
  readonly summary: string;
  readonly fields: readonly FormField[];
}

/** What was filled in, by the name of the field. */
export type Filled = Readonly<Record<string, string | boolean>>;

export type FilledForm = { readonly line: string } | { readonly problems: Readonly<Record<string, string>> };

export interface Forms {
  /** The form for a command that lacks arguments; undefined if the text is no command that the person may run, or is whole. */
  form(text: string, person: Person, room: string): Promise<Form | undefined>;
  /** Values for a field, those first that begin with what is typed, then those that contain it, then what is typed if it can stand there. */
  options(asked: Asked): Promise<readonly Offer[]>;
  /** The line that the filled form stands for, or what is wrong, in plain text by field. Throws `command.unknown`. */
  fill(commandId: string, values: Filled, person: Person, room: string): Promise<FilledForm>;
}

export interface Asked {
  readonly commandId: string;
  readonly field: string;
  readonly typed: string;
  readonly person: Person;
  readonly room: string;
  /** What the form says so far. */
  readonly given?: Filled;
}

export interface FormPorts {
  readonly table: CommandTable;
  readonly access: Access;
  readonly names: Names;
  /** Where values are looked up; asked for at the moment of use. */
  readonly services?: () => Services;
  now(): Date;
}

type Given = ReadonlyMap<string, string | true>;

/** More readings of one line than this are not looked at. */
const MOST_READINGS = 200;
/** For so long a form waits for the values of a field: Slack waits for three seconds in all. */
const OFFERS_MS = 1_800;

/** Forms for the commands of a table. */
export function createForms({ table, access, names, services, now }: FormPorts): Forms {
  const contextOf = (person: Person, room: string, given: Filled = {}): ArgContext => ({
    person,
    room,
    names,
    now: now(),
    ...(services ? { services: services() } : {}),
    given: Object.fromEntries(
      Object.entries(given).filter((each): each is [string, string] => typeof each[1] === 'string'),
    ),
  });

  async function commandFor(commandId: string, person: Person): Promise<Command | undefined> {
    const found = table.all().filter(({ id }) => id === commandId);
    return (await visibleCommands(found, person, access))[0];
  }

  /** The usage that the line begins like and does not fill; undefined if it fills one. */
  async function incomplete(text: string, context: ArgContext): Promise<Entry | undefined> {
    const tokens = tokenise(text);
    let best: { readonly entry: Entry; readonly words: number } | undefined;
    for (const entry of table.find(tokens).entries) {
      const [visible] = await visibleCommands([entry.command], context.person, access);
      if (!visible) continue;
      const match = matchLine(entry.pattern, text, tokens);
      if (match.kind === 'match') {
        for (const raw of match.candidates) if (await isWhole(entry.command, raw, context)) return undefined;
      } else if (match.kind === 'missing') {
        const words = leadingWords(entry.pattern).length;
        if (!best || words > best.words) best = { entry, words };
      }
    }
    return best?.entry;
  }

  return {
    async form(typed, person, room) {
      const text = normalise(typed);
      const context = contextOf(person, room);
      const entry = await incomplete(text, context);
      if (!entry || (table.fallback !== undefined && isSentence(text))) return undefined;
      const { command } = entry;
      const [main] = command.patterns;
      if (!main) return undefined;
      const given = await likeliest(entry, text, context);
      const fields: FormField[] = [];
      for (const name of fieldNames(main)) {
        const type = command.args[name];
        if (type) fields.push(await fieldOf(name, type, main, given.get(name), context));
      }
      return {
        commandId: command.id,
        title: leadingWords(main)
          .map(([word]) => word)
          .join(' '),
        summary: command.summary,
        fields,
      };
    },
    async options({ commandId, field, typed, person, room, given }) {
      const type = (await commandFor(commandId, person))?.args[field];
      if (!type) return [];
      const context = contextOf(person, room, given);
      const offers = await offersOf(type, context);
      const text = typed.trim();
      const wanted = bare(text);
      const begins = offers.filter(({ value }) => bare(value).startsWith(wanted));
      const contains = offers.filter(
        (each) => bare(`${each.value} ${each.label}`).includes(wanted) && !begins.includes(each),
      );
      const found = [...begins, ...contains];
      const isNew = type.closed !== true && text !== '' && !offers.some(({ value }) => value === text);
      if (!isNew || (await problemOf(type, text, context)) !== undefined) return found;
      return [...found, { value: text, label: text }];
    },
    async fill(commandId, filled, person, room) {
      const command = await commandFor(commandId, person);
      const [main] = command?.patterns ?? [];
      if (!command || !main) throw fail('command.unknown', { typed: commandId, suggestions: [] });
      const context = contextOf(person, room);
      const values: Record<string, string | boolean> = {};
      const problems: Record<string, string> = {};
      for (const [name, type] of Object.entries(command.args)) {
        const value = filled[name];
        if (type.kind === 'flag') {
          if (value === true || value === 'true') values[name] = true;
          continue;
        }
        const text = typeof value === 'string' ? normalise(value) : '';
        if (text === '') {
          if (main.required.has(name)) problems[name] = 'This must be given.';
          continue;
        }
        const problem = await problemOf(type, text, context);
        if (problem === undefined) values[name] = text;
        else problems[name] = problem;
      }
      if (Object.keys(problems).length > 0) return { problems };
      const line = normalise(lineFor(command, values));
      const [first] = Object.keys(values);
      if (matchLine(main, line, tokenise(line)).kind === 'match' || first === undefined) return { line };
      return { problems: { [first]: `That cannot be said in one line: ${line}` } };
    },
  };
}

/** None where they do not come in time. */
async function offersOf(type: ArgType<unknown>, context: ArgContext): Promise<readonly Offer[]> {
  const look = async (): Promise<readonly Offer[]> =>
    (await type.offers?.(context)) ?? ((await type.values?.(context)) ?? []).map((value) => ({ value, label: value }));
  try {
    const offers = await inTime(OFFERS_MS, look(), () => new Error('the values did not come in time'));
    return [...new Map(offers.map((offer) => [offer.value, offer])).values()];
  } catch {
    // Whoever fills the form in can type.
    return [];
  }
}

/** Do the values fit their arguments? */
async function isWhole(command: Command, raw: Given, context: ArgContext): Promise<boolean> {
  for (const [name, typed] of raw) {
    const type = command.args[name];
    if (type && typed !== true && (await problemOf(type, typed, context)) !== undefined) return false;
  }
  return true;
}

/** What is wrong with a value, in plain text; undefined if nothing is. */
async function problemOf(type: ArgType<unknown>, text: string, context: ArgContext): Promise<string | undefined> {
  const parsed = await type.parse(text, context);
  if (parsed.ok) return undefined;
  const allowed = (parsed.allowed ?? []).slice(0, 5);
  const more = (parsed.allowed ?? []).length > allowed.length ? ' …' : '';
  const problem = `${parsed.problem.charAt(0).toUpperCase()}${parsed.problem.slice(1)}.`;
  const sentence = allowed.length === 0 ? problem : `${problem} Give ${allowed.join(', ')}${more}`;
  return sentence.replace(/`([^`]*)`/g, '"$1"');
}

/** The arguments in the order of the usage: what stands in the line, then options. */
function fieldNames(pattern: Pattern): readonly string[] {
  const inLine = (elements: readonly Element[]): string[] =>
    elements.flatMap((element) => {
      if (element.kind === 'argument') return [element.name];
      return element.kind === 'optional' ? inLine(element.elements) : [];
    });
  return [...inLine(pattern.elements), ...[...pattern.keyed.values()].map(({ name }) => name)];
}

async function fieldOf(
  name: string,
  type: ArgType<unknown>,
  pattern: Pattern,
  given: string | true | undefined,
  context: ArgContext,
): Promise<FormField> {
  const values = type.kind === 'flag' || type.offers ? [] : [...new Set(await type.values?.(context))];
  const closed = type.closed === true && values.length > 0;
  const { description } = type.schema(context.names);
  const samples = closed || values.length === 0 ? '' : `, for example ${values.slice(0, 4).join(', ')}`;
  const field = {
    name,
    label: labelOf(name),
    required: pattern.required.has(name),
    hint: `${description.charAt(0).toUpperCase()}${description.slice(1)}${samples}`,
  };
  if (type.kind === 'flag') return { ...field, kind: 'flag', ...(given === undefined ? {} : { value: 'true' }) };
  const value = typeof given === 'string' ? given : undefined;
  if (closed) {
    const chosen = value === undefined ? undefined : values.find((each) => bare(each) === bare(value));
    return { ...field, kind: 'choice', values, ...(chosen === undefined ? {} : { value: chosen }) };
  }
  const kind = type.offers ? 'offered' : type.kind === 'text' ? 'text' : 'word';
  return { ...field, kind, ...(value === undefined ? {} : { value }) };
}

/** `dryRun` → `Dry run`. */
function labelOf(name: string): string {
  const words = name.replace(/[-_]/g, ' ').replace(/([a-z\d])([A-Z])/g, (_, end: string, start: string) => {
    return `${end} ${start.toLowerCase()}`;
  });
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** People type `al` for `@alice`. */
function bare(word: string): string {
  return word.toLowerCase().replace(/^[@#]/, '');
}

/** The reading of an unfinished line that makes most of its words: which words stand for which arguments. */
async function likeliest({ command, pattern }: Entry, text: string, context: ArgContext): Promise<Given> {
  const { keyed, rest } = withoutKeyed(pattern, tokenise(text));
  let best: { readonly score: number; readonly values: Given } = { score: -1, values: keyed };
  const fits = new Map<string, boolean>();
  for (const { literals, values } of readings(pattern, text, rest)) {
    const valid = new Map<string, string | true>(keyed);
    let score = 1000 * literals;
    for (const [name, typed] of values) {
      const key = `${name} ${typed}`;
      const type = command.args[name];
      if (!type) continue;
      const fit = fits.get(key) ?? (await problemOf(type, typed, context)) === undefined;
      fits.set(key, fit);
      if (!fit) continue;
      valid.set(name, typed);
      score += pattern.required.has(name) ? 10 : 1;
    }
    if (score > best.score) best = { score, values: valid };
  }
  return best.values;
}

interface Reading {
  /** How many literal words it found. */
  readonly literals: number;
  readonly values: readonly (readonly [string, string])[];
}

/** Every way to lay the words on the usage in their order, with any part of the usage left out and any word not understood. */
function readings(pattern: Pattern, text: string, tokens: readonly Token[]): readonly Reading[] {
  const found: Reading[] = [];
  function walk(elements: readonly Element[], at: number, so: Reading): void {
    if (found.length >= MOST_READINGS) return;
    const [element, ...rest] = elements;
    const token = tokens[at];
    if (!element || !token) {
      found.push(so);
      return;
    }
    if (element.kind === 'optional') {
      walk([...element.elements, ...rest], at, so);
      return;
    }
    if (element.kind === 'literal') {
      if (element.words.includes(token.text.toLowerCase())) walk(rest, at + 1, { ...so, literals: so.literals + 1 });
      else walk(rest, at, so);
      return;
    }
    const value = element.rest ? text.slice(token.start) : token.text;
    walk(rest, element.rest ? tokens.length : at + 1, { ...so, values: [...so.values, [element.name, value]] });
    walk(rest, at, so);
  }
  walk(pattern.elements, 0, { literals: 0, values: [] });
  return found;
}

/** Options and keyed arguments, and the words that are neither. */
function withoutKeyed(
  pattern: Pattern,
  tokens: readonly Token[],
): { readonly keyed: Given; readonly rest: readonly Token[] } {
  const keyed = new Map<string, string | true>();
  const rest: Token[] = [];
  let open: string | undefined;
  for (const token of tokens) {
    if (open !== undefined) {
      keyed.set(open, token.text);
      open = undefined;
      continue;
    }
    const found = findKeyed(pattern, token.text);
    if (!found) rest.push(token);
    else if (!found.keyed.takesValue) keyed.set(found.keyed.name, true);
    else if (found.value) keyed.set(found.keyed.name, found.value);
    else open = found.keyed.name;
  }
  return { keyed, rest };
}
