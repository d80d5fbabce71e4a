/**
 * How well questions find their runbook, beside what one would pick instead: minisearch as it comes.
 * Run it with `node bench/ask-retrieval.ts`; the data is ../shared/data/runbooks.
 */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import MiniSearch from 'minisearch';
import { z } from 'zod';
import { parseFrontMatter } from '../src/adapters/knowledge/schema.ts';
import { fitOf } from '../src/domain/ask/answerable.ts';
import { splitFrontMatter } from '../src/domain/ask/chunk.ts';
import { buildIndex, type Found, type KnowledgeFile } from '../src/domain/ask/index.ts';
import { markdown, type Table } from './figures.ts';

export const DATA = fileURLToPath(new URL('../../shared/data/runbooks/', import.meta.url));

const query = z.object({ query: z.string(), alertname: z.string(), summary: z.string(), expected_path: z.string() });
const noAnswer = z.object({ query: z.string() });

function lines<T>(file: string, row: z.ZodType<T>): T[] {
  return readFileSync(`${DATA}${file}`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => row.parse(JSON.parse(line)));
}

export interface Quality {
  readonly at1: number;
  readonly at3: number;
  readonly mrr: number;
}

export interface Figures {
  readonly description: Quality;
  readonly summary: Quality;
  readonly name: Quality;
  readonly rival: Quality;
  /** Area under the curve of telling questions with an answer from those without. */
  readonly answerable: number;
  readonly answered: number;
  readonly falselyAnswered: number;
  /** Milliseconds. */
  readonly build700: number;
  readonly medianQuestion: number;
  readonly slowestQuestion: number;
}

export function dataIsThere(): boolean {
  return existsSync(`${DATA}queries.jsonl`);
}

function quality(ranks: readonly number[]): Quality {
  const share = (top: number): number => ranks.filter((rank) => rank >= 0 && rank < top).length / ranks.length;
  const mrr = ranks.reduce((sum, rank) => sum + (rank < 0 ? 0 : 1 / (rank + 1)), 0) / ranks.length;
  return { at1: share(1), at3: share(3), mrr };
}

function areaUnderCurve(positive: readonly number[], negative: readonly number[]): number {
  let wins = 0;
  for (const a of positive) for (const b of negative) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (positive.length * negative.length);
}

export function measure(): Figures {
  const files = globSync('prometheus-operator/**/*.md', { cwd: DATA })
    .sort()
    .map((path): KnowledgeFile => {
      const text = readFileSync(DATA + path, 'utf8');
      const meta = parseFrontMatter(splitFrontMatter(text).yaml) ?? { alerts: [], services: [], owners: [] };
      return { path, text, meta };
    });
  const queries = lines('queries.jsonl', query);
  const unanswerable = lines('no_answer.jsonl', noAnswer);
  const index = buildIndex(files);
  const ranks = (questionOf: (row: z.infer<typeof query>) => string): Quality =>
    quality(
      queries.map((row) =>
        index.search(questionOf(row), 50).findIndex(({ passage }) => passage.path === row.expected_path),
      ),
    );

  const mini = new MiniSearch({ fields: ['title', 'text'], idField: 'path' });
  mini.addAll(files.map(({ path, text, meta }) => ({ path, title: meta.title ?? path, text })));
  const rival = quality(queries.map((row) => mini.search(row.query).findIndex(({ id }) => id === row.expected_path)));

  const best = (text: string): Found | undefined => index.search(text)[0];
  const yes = queries.map((row) => best(row.query));
  const no = unanswerable.map((row) => best(row.query));
  const answered = (found: readonly (Found | undefined)[]): number =>
    found.filter((one) => one !== undefined && fitOf(one) === 'sure').length / found.length;

  const many = Array.from({ length: 7 }, (_, copy) => files.map((file) => ({ ...file, path: `${copy}/${file.path}` })))
    .flat()
    .slice(0, 700);
  const started = performance.now();
  const large = buildIndex(many);
  const build700 = performance.now() - started;
  for (const row of queries.slice(0, 20)) large.search(row.query);
  const times = queries
    .map((row) => {
      const from = performance.now();
      large.search(`what do I do when ${row.alertname} fires? ${row.query}`);
      return performance.now() - from;
    })
    .sort((a, b) => a - b);

  return {
    description: ranks((row) => row.query),
    summary: ranks((row) => row.summary),
    name: ranks((row) => `what do I do when ${row.alertname} fires?`),
    rival,
    answerable: areaUnderCurve(
      yes.map((found) => found?.coverage ?? 0),
      no.map((found) => found?.coverage ?? 0),
    ),
    answered: answered(yes),
    falselyAnswered: answered(no),
    build700,
    medianQuestion: times[Math.floor(times.length / 2)] ?? 0,
    slowestQuestion: times.at(-1) ?? 0,
  };
}

function row(name: string, { at1, at3, mrr }: Quality): string[] {
  return [name, at1.toFixed(2), at3.toFixed(2), mrr.toFixed(2)];
}

function retrievalTable(): Table {
  const figures = measure();
  return {
    title: 'Finding the runbook',
    head: ['', 'first', 'among three', 'mean reciprocal rank'],
    rows: [
      row('minisearch as it comes, described in words', figures.rival),
      row('Shipmate, described in words', figures.description),
      row('Shipmate, summary of the alert', figures.summary),
      row('Shipmate, with the name of the alert', figures.name),
    ],
    notes: [
      `Answerable or not, area under the curve: ${figures.answerable.toFixed(2)}. Answered: ${figures.answered.toFixed(2)} of the questions`,
      `with a runbook, ${figures.falselyAnswered.toFixed(2)} of those without. 700 runbooks are indexed in ${figures.build700.toFixed(0)} ms; a question`,
      `to them takes ${figures.medianQuestion.toFixed(1)} ms (slowest ${figures.slowestQuestion.toFixed(1)} ms).`,
    ],
  };
}

if (import.meta.main) {
  if (dataIsThere()) console.log(markdown(retrievalTable()));
  else console.warn('Runbook retrieval skipped: there is no folder ../shared/data/runbooks');
}
