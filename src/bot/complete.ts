/** What can be typed next: words of commands that the person may run, then values of arguments. */

import type { Access } from './access.ts';
import type { ArgContext } from './args.ts';
import type { Command } from './command.ts';
import type { Element, Pattern } from './grammar.ts';
import { visibleCommands } from './help.ts';
import type { CommandTable } from './table.ts';
import { normalise, tokenise } from './tokens.ts';

export interface Suggestion {
  /** The whole line with the suggestion in it. */
  readonly text: string;
  /** The part that was added or completed. */
  readonly label: string;
  /** What the command does, or what kind of value it is. */
  readonly hint: string;
}

/** More than these are not shown. */
const MOST_SUGGESTIONS = 8;

/** Suggestions for a line that is being typed, in the order in which the commands were declared. */
export async function complete(
  table: CommandTable,
  access: Access,
  typed: string,
  context: ArgContext,
): Promise<readonly Suggestion[]> {
  const text = normalise(typed);
  const words = tokenise(text).map((token) => token.text);
  const last = typed === '' || /\s$/.test(typed) ? '' : (words.pop() ?? '');
  const commands = await visibleCommands(table.all(), context.person, access);
  const found = new Map<string, Suggestion>();
  for (const command of commands) {
    for (const pattern of command.patterns) {
      for (const next of nextElements(pattern, words)) {
        for (const value of await valuesOf(next, command, context)) {
          if (!value.toLowerCase().startsWith(last.toLowerCase()) || value === last) continue;
          const line = [...words, value].map(quotedIfNeeded).join(' ');
          if (!found.has(line)) found.set(line, { text: line, label: value, hint: hintOf(next, command) });
        }
      }
    }
  }
  return [...found.values()].slice(0, MOST_SUGGESTIONS);
}

/** Elements that can stand after these words. */
function nextElements(pattern: Pattern, words: readonly string[]): Element[] {
  const next: Element[] = [];
  function walk(elements: readonly Element[], at: number): void {
    const [element, ...rest] = elements;
    if (!element) return;
    const word = words[at];
    if (element.kind === 'optional') {
      // A word that stands for what comes after the optional part is hardly meant as the optional part.
      const [after] = rest;
      const isNext = word !== undefined && after?.kind === 'literal' && after.words.includes(word.toLowerCase());
      if (!isNext) walk([...element.elements, ...rest], at);
      walk(rest, at);
      return;
    }
    if (word === undefined) next.push(element);
    else if (element.kind === 'argument' && element.rest) return;
    else if (element.kind === 'argument' || element.words.includes(word.toLowerCase())) walk(rest, at + 1);
  }
  walk(pattern.elements, 0);
  return next;
}

async function valuesOf(element: Element, command: Command, context: ArgContext): Promise<readonly string[]> {
  if (element.kind === 'literal') return element.words;
  if (element.kind === 'optional') return [];
  return (await command.args[element.name]?.values?.(context)) ?? [];
}

function hintOf(element: Element, command: Command): string {
  return element.kind === 'argument' ? element.name : `${command.usage} — ${command.summary}`;
}

function quotedIfNeeded(word: string): string {
  return /\s/.test(word) ? `"${word}"` : word;
}
