/** Checks what a model cites against the passages that it was given, and makes its text safe to show. */

import { type Allowed, linkTo, neutralise } from './untrusted.ts';

/** A passage under the number by which it is cited. */
export interface Source {
  readonly number: number;
  readonly path: string;
  readonly title: string;
  readonly heading: readonly string[];
  readonly line: number;
  readonly url: string;
}

export interface Checked {
  /** Markdown that is safe to show; every citation is a link to its passage. */
  readonly text: string;
  /** The sources that the text cites, in the order of their numbers. */
  readonly cited: readonly Source[];
  /** Numbers that the model made up; they are left out of the text. */
  readonly unknown: readonly number[];
}

// [1], [1, 2], [1][2], 【1】 and 【1†source】, as models write them.
const CITATION =
  /[ \t]?(?:\\?\[|【)\s{0,3}(?<numbers>\d{1,3}(?:\s{0,3}[,;]\s{0,3}\d{1,3}){0,20})(?:†[^\]】]{0,80})?\s{0,3}(?:\\?\]|】)/g;

/** Of a model's answer, what may be shown. Addresses stay, as code, only if the passages or the question contain them. */
export function checkCitations(answer: string, sources: readonly Source[], given: string): Checked {
  const byNumber = new Map(sources.map((source) => [source.number, source]));
  const cited = new Map<number, Source>();
  const unknown = new Set<number>();
  const allowed: Allowed = { link: () => false, show: (url) => url.length > 3 && given.includes(url) };
  const text = neutralise(answer, allowed, (prose) =>
    prose.replace(CITATION, (whole: string, numbers: string) => {
      const links = numbers.split(/[,;]/).flatMap((digits) => {
        const number = Number(digits);
        const source = byNumber.get(number);
        if (source === undefined) {
          unknown.add(number);
          return [];
        }
        cited.set(number, source);
        return [linkTo(`[${number}]`, source.url)];
      });
      const space = /^[ \t]/.test(whole) ? ' ' : '';
      return links.length === 0 ? '' : space + links.join(' ');
    }),
  );
  return {
    text: text.trim(),
    cited: [...cited.values()].sort((a, b) => a.number - b.number),
    unknown: [...unknown],
  };
}

/** `runbooks/disk-full.md › First five minutes`. */
export function sourceName(source: Pick<Source, 'path' | 'heading'>): string {
  return [source.path, ...source.heading.slice(-1)].join(' › ');
}

/** A source as a Markdown link. */
export function sourceLink(source: Source): string {
  return linkTo(sourceName(source), source.url);
}
