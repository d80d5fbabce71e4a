/**
 * All commands, found by their first words: finding one among a thousand costs the same as among ten.
 */

import { distance } from 'fastest-levenshtein';
import type { Command, Fallback } from './command.ts';
import { leadingWords, type Pattern } from './grammar.ts';
import { looksLike } from './spelling.ts';
import type { Token } from './tokens.ts';

export interface Entry {
  readonly command: Command;
  readonly pattern: Pattern;
}

/** A line that may have been meant, and the usages that begin like it. */
export interface Suggested {
  readonly line: string;
  readonly entries: readonly Entry[];
}

interface Node {
  readonly next: Map<string, Node>;
  readonly entries: Entry[];
}

function node(): Node {
  return { next: new Map(), entries: [] };
}

export class CommandTable {
  readonly #root = node();
  readonly #commands = new Map<string, Command>();
  readonly #usages = new Set<string>();
  #fallback: Fallback | undefined;

  /** Throws if the id or a usage is taken. */
  add(command: Command): void {
    if (this.#commands.has(command.id)) throw new Error(`command "${command.id}" is declared twice`);
    const taken = command.patterns.find(({ usage }) => this.#usages.has(usage));
    if (taken) throw new Error(`command "${command.id}": "${taken.usage}" is taken by another command`);
    for (const pattern of command.patterns) this.#place(this.#root, leadingWords(pattern), { command, pattern });
    for (const { usage } of command.patterns) this.#usages.add(usage);
    this.#commands.set(command.id, command);
  }

  #place(at: Node, words: readonly (readonly string[])[], entry: Entry): void {
    const [choices, ...rest] = words;
    if (!choices) {
      at.entries.push(entry);
      return;
    }
    for (const word of choices) {
      let next = at.next.get(word);
      if (!next) {
        next = node();
        at.next.set(word, next);
      }
      this.#place(next, rest, entry);
    }
  }

  /** The usages whose first words the line has, longest first; and how many words were known. */
  find(tokens: readonly Token[]): { readonly entries: readonly Entry[]; readonly known: number } {
    const levels: Entry[][] = [];
    let at = this.#root;
    let known = 0;
    for (const token of tokens) {
      const next = token.quoted ? undefined : at.next.get(token.text.toLowerCase());
      if (!next) break;
      at = next;
      known++;
      if (at.entries.length > 0) levels.push(at.entries);
    }
    return { entries: levels.reverse().flat(), known };
  }

  /** Lines that the typed one may have been meant to be, nearest first: the first unknown word replaced by known ones that look like it. */
  suggest(tokens: readonly Token[]): Suggested[] {
    let at = this.#root;
    for (const [index, token] of tokens.entries()) {
      const word = token.text.toLowerCase();
      const next = at.next.get(word);
      if (next) {
        at = next;
        continue;
      }
      const rest = tokens.slice(index + 1).map(quoted);
      const before = tokens.slice(0, index).map(quoted);
      return [...at.next]
        .filter(([known]) => looksLike(word, known))
        .sort(([a], [b]) => distance(word, a) - distance(word, b) || a.localeCompare(b))
        .map(([known, under]) => ({ line: [...before, known, ...rest].join(' '), entries: entriesUnder(under) }));
    }
    return [];
  }

  /** Lines of these first words and one that can follow them. */
  next(words: readonly string[]): Suggested[] {
    let at: Node | undefined = this.#root;
    for (const word of words) at = at?.next.get(word.toLowerCase());
    return [...(at?.next ?? [])]
      .map(([word, under]) => ({ line: [...words, word].join(' '), entries: entriesUnder(under) }))
      .sort((a, b) => a.line.localeCompare(b.line));
  }

  /** Does a usage begin with this word? */
  begins(word: string): boolean {
    return this.#root.next.has(word.toLowerCase());
  }

  /** All commands, as they were declared: a script names the one first that people need most. */
  all(): Command[] {
    return [...this.#commands.values()];
  }

  get fallback(): Fallback | undefined {
    return this.#fallback;
  }

  /** Throws if another script answers such sentences already. */
  setFallback(fallback: Fallback): void {
    if (this.#fallback)
      throw new Error('two scripts want to answer sentences that are no command; keep one fallback()');
    this.#fallback = fallback;
  }
}

function entriesUnder({ next, entries }: Node): Entry[] {
  return [...entries, ...[...next.values()].flatMap(entriesUnder)];
}

function quoted(token: Token): string {
  return token.quoted || /\s/.test(token.text) ? `"${token.text}"` : token.text;
}
