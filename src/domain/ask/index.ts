/** Finds passages by the words of a question. */

import { stemmer } from 'stemmer';
import { chunk, type FrontMatter, fileName, type Passage } from './chunk.ts';
import { indexTermsOf, nameKey, splitIdentifier, termsOf } from './terms.ts';

/** A file of the team's knowledge, as it was read. */
export interface KnowledgeFile {
  readonly path: string;
  readonly text: string;
  readonly meta: FrontMatter;
}

/** One file that may answer, with its best passage. */
export interface Found {
  readonly passage: Passage;
  /** The other passages of the file that share words with the question, best first. */
  readonly more: readonly Passage[];
  /** BM25 over title, headings and text. Comparable within one question only. */
  readonly score: number;
  /** 0 to 1: how much of what the question says is said in this file too, rare words counting more. */
  readonly coverage: number;
  /** How many different words of the question are in the file, */
  readonly matched: number;
  /** and whether one of them is in its title, */
  readonly inTitle: boolean;
  /** in a heading above the passage ("rollback" in "Roll back"), */
  readonly inHeading: boolean;
  /** or is a code such as 502. */
  readonly isCode: boolean;
  /** The question names the alert or the file itself. */
  readonly named: boolean;
  /** The question holds a name like `KubeNodeEviction` that is in none of the files. */
  readonly unknownName: boolean;
}

export interface Index {
  /** Files that share a word with the question, best first; those that it names come before all others. */
  search(question: string, limit?: number): Found[];
  /** All passages of a file, in order. */
  passages(path: string): readonly Passage[];
  readonly files: number;
}

/** BM25's usual constants: how fast repetition stops counting, and how much long texts are held back. */
const K1 = 1.2;
const B = 0.75;
/** A hit in the title counts twice; it is a field of its own, so a short title that is wholly asked for beats a long one. */
const TITLE_WEIGHT = 2;

interface Posting {
  readonly unit: number;
  readonly frequency: number;
}

interface Field {
  readonly postings: ReadonlyMap<string, readonly Posting[]>;
  readonly lengths: readonly number[];
  readonly mean: number;
}

/** A title that says the same as the file's name is counted once. */
function titleTerms(file: KnowledgeFile, title: string): string[] {
  const names = new Map([fileName(file.path), title, ...file.meta.alerts].map((name) => [nameKey(name), name]));
  return [...new Set([...names.values(), ...file.meta.services].flatMap(indexTermsOf))];
}

function field(units: readonly ReadonlyMap<string, number>[]): Field {
  const postings = new Map<string, Posting[]>();
  const lengths = units.map((terms, unit) => {
    let length = 0;
    for (const [term, frequency] of terms) {
      length += frequency;
      const list = postings.get(term);
      if (list) list.push({ unit, frequency });
      else postings.set(term, [{ unit, frequency }]);
    }
    return length;
  });
  return { postings, lengths, mean: lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length) };
}

function count(into: Map<string, number>, terms: readonly string[]): void {
  for (const term of terms) into.set(term, (into.get(term) ?? 0) + 1);
}

function inverseFrequency(units: number, holding: number): number {
  return Math.log(1 + (units - holding + 0.5) / (holding + 0.5));
}

/** BM25 of every unit that holds one of the terms. */
function scores(terms: ReadonlyMap<string, number>, { postings, lengths, mean }: Field): Map<number, number> {
  const sums = new Map<number, number>();
  for (const [term, times] of terms) {
    const list = postings.get(term);
    if (!list) continue;
    const weight = inverseFrequency(lengths.length, list.length) * Math.min(times, 2);
    for (const { unit, frequency } of list) {
      const long = 1 - B + (B * (lengths[unit] ?? 0)) / mean;
      sums.set(unit, (sums.get(unit) ?? 0) + (weight * frequency * (K1 + 1)) / (frequency + K1 * long));
    }
  }
  return sums;
}

/** Keys under which a question may name a file. One plain word of a file name is no name: `deploy` is in half of all questions. */
function namesOf(file: KnowledgeFile, title: string): string[] {
  const own = [fileName(file.path), title].filter((name) => splitIdentifier(name).length > 1);
  return [...new Set([...own, ...file.meta.alerts].map(nameKey))].filter((key) => key.length > 3);
}

/** Names written as alerts are: at least two capitals with small letters after them. */
function camelCase(question: string): string[] {
  return (question.match(/\b(?:[\p{L}\p{N}]*\p{Lu}\p{Ll}+){2,}[\p{L}\p{N}]*/gu) ?? []).flatMap((name) =>
    termsOf(name)
      .filter(({ compound }) => compound)
      .map(({ term }) => term),
  );
}

const LONGEST_NAME_WORDS = 8;

/** Every run of words of the question as a name key. */
function keysIn(question: string): Set<string> {
  const words = question.match(/[\p{L}\p{N}]+/gu)?.map((word) => word.toLowerCase()) ?? [];
  const keys = new Set<string>();
  for (let from = 0; from < words.length; from++) {
    let key = '';
    for (const word of words.slice(from, from + LONGEST_NAME_WORDS)) {
      key += word;
      keys.add(key);
    }
  }
  return keys;
}

/** Builds the index; 700 runbooks take well under two seconds. */
export function buildIndex(files: readonly KnowledgeFile[]): Index {
  const passages: { passage: Passage; file: number }[] = [];
  const passageTerms: Map<string, number>[] = [];
  const headings = new Map<Passage, ReadonlySet<string>>();
  const titles: Map<string, number>[] = [];
  const fileTerms: Map<string, number>[] = [];
  const passagesOfFile = new Map<number, Passage[]>();
  const byPath = new Map<string, readonly Passage[]>();
  const names = new Map<string, number[]>();

  for (const [at, file] of files.entries()) {
    const own = chunk(file.path, file.text, file.meta);
    const title = own[0]?.title ?? file.meta.title ?? fileName(file.path);
    const titleWords = titleTerms(file, title);
    const whole = new Map<string, number>();
    count(whole, titleWords);
    titles.push(new Map(whole));
    for (const passage of own) {
      const above = indexTermsOf(passage.heading.join('\n'));
      headings.set(passage, new Set([...above, ...passage.heading.map((text) => stemmer(nameKey(text)))]));
      const words = [...above, ...indexTermsOf(passage.text)];
      const terms = new Map<string, number>();
      count(terms, titleWords);
      count(terms, words);
      count(whole, words);
      passages.push({ passage, file: at });
      passageTerms.push(terms);
    }
    fileTerms.push(whole);
    passagesOfFile.set(at, own);
    byPath.set(file.path, own);
    for (const name of namesOf(file, title)) names.set(name, [...(names.get(name) ?? []), at]);
  }
  const byPassage = field(passageTerms);
  const byTitle = field(titles);
  const byFile = field(fileTerms);

  return {
    files: files.length,
    passages: (path) => byPath.get(path) ?? [],
    search(question, limit = 10) {
      const terms = new Map<string, number>();
      const compounds = new Set<string>();
      for (const { term, compound } of termsOf(question)) {
        terms.set(term, (terms.get(term) ?? 0) + 1);
        if (compound) compounds.add(term);
      }
      const named = new Set([...keysIn(question)].flatMap((key) => names.get(key) ?? []));
      const unknownName =
        named.size === 0 && camelCase(question).some((name) => !byFile.postings.has(name) && !names.has(name));
      const titleScores = scores(terms, byTitle);
      const best = new Map<number, { unit: number; score: number }[]>();
      for (const [unit, score] of scores(terms, byPassage)) {
        const file = passages[unit]?.file;
        if (file === undefined) continue;
        const list = best.get(file);
        if (list) list.push({ unit, score });
        else best.set(file, [{ unit, score }]);
      }
      for (const file of named) if (!best.has(file)) best.set(file, []);

      const found: Found[] = [];
      for (const [file, units] of best) {
        const ranked = units.sort((a, b) => b.score - a.score || a.unit - b.unit);
        const listed = ranked.flatMap(({ unit }) => passages[unit]?.passage ?? []);
        const passage = listed[0] ?? passagesOfFile.get(file)?.[0];
        if (passage === undefined) continue;
        const matched = [...terms.keys()].filter((term) => fileTerms[file]?.has(term));
        found.push({
          passage,
          more: listed.slice(1),
          score: (ranked[0]?.score ?? 0) + TITLE_WEIGHT * (titleScores.get(file) ?? 0),
          coverage: coverageOf(terms, compounds, fileTerms[file] ?? new Map(), byFile),
          matched: matched.length,
          inTitle: matched.some((term) => titles[file]?.has(term)),
          inHeading: matched.some((term) => headings.get(passage)?.has(term)),
          isCode: matched.some((term) => /\d/.test(term)),
          unknownName,
          named: named.has(file),
        });
      }
      return found
        .sort(
          (a, b) =>
            Number(b.named) - Number(a.named) || b.score - a.score || (a.passage.path < b.passage.path ? -1 : 1),
        )
        .slice(0, limit);
    },
  };
}

function coverageOf(
  question: ReadonlyMap<string, number>,
  compounds: ReadonlySet<string>,
  file: ReadonlyMap<string, number>,
  { postings, lengths }: Field,
): number {
  let all = 0;
  let covered = 0;
  for (const term of question.keys()) {
    const holding = postings.get(term)?.length ?? 0;
    // A compound that no file holds is covered by its parts.
    if (compounds.has(term) && holding === 0) continue;
    const weight = inverseFrequency(lengths.length, holding);
    all += weight;
    if (file.has(term)) covered += weight;
  }
  return all === 0 ? 0 : covered / all;
}
