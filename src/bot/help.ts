/** Help as a person sees it: only what they may run, grouped, with examples. */

import { distance } from 'fastest-levenshtein';
import type { Access } from './access.ts';
import { type Card, card, plain } from './card.ts';
import type { Person } from './chat.ts';
import type { Command } from './command.ts';
import { alternatives } from './errors.ts';
import { leadingWords, type Pattern } from './grammar.ts';
import { matchLine } from './match.ts';
import { looksLike } from './spelling.ts';
import type { CommandTable } from './table.ts';
import { tokenise } from './tokens.ts';

/** The commands that the person may run, at least with some arguments. */
export async function visibleCommands(
  commands: readonly Command[],
  person: Person,
  access: Access,
): Promise<readonly Command[]> {
  const shown: Command[] = [];
  if (!(await access.admits(person))) return shown;
  for (const command of commands) {
    if (command.needsPattern === 'public' || (await access.mayHold(person, command.needsPattern))) shown.push(command);
  }
  return shown;
}

/** The groups that people come for, first; those that they need when they are asked, last. */
const FIRST = ['deploy', 'alerts', 'ask', 'history'];
const LAST = ['help', 'proposal'];

/** The commands by group, in the order of help. */
export function grouped(commands: readonly Command[]): readonly (readonly [string, readonly Command[]])[] {
  const place = (group: string): number =>
    FIRST.includes(group) ? FIRST.indexOf(group) - FIRST.length : LAST.indexOf(group) + 1;
  return [...Map.groupBy(commands, (command) => command.group)].sort(
    ([a], [b]) => place(a) - place(b) || a.localeCompare(b),
  );
}

/** All of it: a field a group, a line a command. `others` are the help lines of plain Hubot scripts. */
export function helpCard(commands: readonly Command[], others: readonly string[], robotName: string): Card {
  const fields = grouped(commands).map(([group, members]) => ({
    name: capitalised(group),
    value: [
      ...members.map((command) => `\`${command.usage}\` — ${plain(command.summary)}`),
      ...forExample(members),
    ].join('\n'),
    short: false,
  }));
  const scripts = others.map((line) => otherLine(line, robotName)).filter((line) => line !== '');
  if (scripts.length > 0) fields.push({ name: 'Scripts', value: scripts.join('\n'), short: false });
  return card({
    isGuide: true,
    title: 'What you can run',
    text: '`help <word>` shows more about one of them. A question in plain words is answered from the runbooks.',
    fields,
  });
}

/** One command, or the few that a word finds. Undefined if it finds none. */
export function helpOn(
  topic: string,
  commands: readonly Command[],
  others: readonly string[],
  robotName: string,
): Card | undefined {
  const wanted = topic.toLowerCase();
  const exact = commands.filter((command) => command.id === wanted || startsWithWords(command.usage, wanted));
  const found = exact.length > 0 ? exact : commands.filter((command) => mentions(command, wanted));
  const [only, second] = found;
  if (only && !second) return commandCard(only, commands);
  if (found.length > 0) {
    return card({
      isGuide: true,
      title: `Commands about ${topic}`,
      fields: found.slice(0, 20).map((command) => ({
        name: command.usage,
        value: `${plain(command.summary)}\n${command.examples.map((example) => `\`${example}\``).join(' · ')}`,
        short: false,
      })),
    });
  }
  const lines = others.filter((line) => line.toLowerCase().includes(wanted)).map((line) => otherLine(line, robotName));
  return lines.length > 0
    ? card({ isGuide: true, title: `Scripts about ${topic}`, text: lines.join('\n') })
    : undefined;
}

/** Topics that this one may have been meant to be, nearest first: every word that nobody knows replaced by one that looks like it. */
export function nearTopics(
  topic: string,
  commands: readonly Command[],
  others: readonly string[],
  robotName: string,
): readonly string[] {
  const known = new Set([
    ...commands.flatMap(({ patterns }) => patterns.flatMap((pattern) => leadingWords(pattern).flat())),
    ...others.flatMap(wordsOf),
  ]);
  const near = topic
    .toLowerCase()
    .split(/\s+/)
    .map((word) => (known.has(word) ? [word] : nearest(word, known)));
  const first = near.map(([word]) => word);
  const topics = near.length === 1 ? near.flat() : first.includes(undefined) ? [] : [first.join(' ')];
  return topics.filter((each) => helpOn(each, commands, others, robotName) !== undefined).slice(0, 3);
}

function nearest(word: string, known: ReadonlySet<string>): readonly string[] {
  return [...known]
    .filter((each) => looksLike(word, each))
    .sort((a, b) => distance(word, a) - distance(word, b) || a.localeCompare(b));
}

/** The words that a script's help line is typed with. */
function wordsOf(line: string): string[] {
  const [usage = ''] = line.split(/\s+-\s+/);
  return usage.split(/\s+/).filter((word) => /^[a-z][\w-]+$/.test(word));
}

/** A line that works, of the first command of a group that must be given something, or else may be. */
function forExample(members: readonly Command[]): string[] {
  const filled = (command: Command): string | undefined =>
    command.examples.find((example) => !command.patterns.some((pattern) => isBare(pattern, example)));
  const [main] = members.filter((command) => (command.patterns[0]?.required.size ?? 0) > 0);
  const example = (main && filled(main)) ?? members.map(filled).find((line) => line !== undefined);
  return example === undefined ? [] : [`For example \`${example}\``];
}

/** Only the words that every line of the command has. */
function isBare(pattern: Pattern, example: string): boolean {
  return example.split(/\s+/).length <= leadingWords(pattern).length;
}

/** All there is to say of one command. */
function commandCard(command: Command, commands: readonly Command[]): Card {
  const [, ...aliases] = command.patterns.map((pattern) => pattern.usage);
  const others = commands.filter((other) => other.group === command.group && other !== command);
  return card({
    isGuide: true,
    title: command.usage,
    text: plain(command.summary),
    fields: [
      { name: 'Examples', value: command.examples.map((example) => `\`${example}\``).join('\n'), short: false },
      ...(aliases.length > 0 ? [{ name: 'Also', value: alternatives(aliases), short: false }] : []),
      ...(others.length > 0
        ? [{ name: 'See also', value: others.map((other) => `\`${other.usage}\``).join('\n'), short: false }]
        : []),
      { name: 'Effect', value: command.effect === 'change' ? 'changes something; audited' : 'only looks' },
      { name: 'Needs', value: command.needsPattern === 'public' ? 'nothing special' : `\`${command.needsWords}\`` },
    ],
  });
}

function startsWithWords(usage: string, wanted: string): boolean {
  return `${usage.toLowerCase()} `.startsWith(`${wanted} `);
}

function mentions(command: Command, wanted: string): boolean {
  return [command.id, command.summary, ...command.patterns.map((pattern) => pattern.usage)].some((text) =>
    text.toLowerCase().includes(wanted),
  );
}

/**
 * The help lines of plain scripts that their scripts get to answer. A line of the form of one of our commands is ours:
 * of `hubot help - …` the script never hears.
 */
export function linesOfScripts(lines: readonly string[], table: CommandTable, robotName: string): string[] {
  return lines.filter((line) => {
    const [first, ...words] = tokenise((line.split(/\s+-\s+/)[0] ?? '').trim());
    if (!first || ![robotName, 'hubot'].some((name) => name.toLowerCase() === first.text.toLowerCase())) return true;
    const text = words.map((word) => word.text).join(' ');
    const tokens = tokenise(text);
    return !table.find(tokens).entries.some(({ pattern }) => matchLine(pattern, text, tokens).kind === 'match');
  });
}

/** A help line of a plain Hubot script: `hubot rules - says the rules`. */
function otherLine(line: string, robotName: string): string {
  const [usage = '', ...summary] = line.replace(/^hubot(?=\s|$)/i, robotName).split(/\s+-\s+/);
  const shown = `\`${usage.replaceAll('`', "'").trim()}\``;
  return summary.length > 0 ? `${shown} — ${plain(summary.join(' - '))}` : shown;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
