/** The output of a program as lines that can be shown, and the lines with which it tells how far it is. */

import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';
import type { ProgressStep } from '../../domain/deploy/target.ts';

/** A line longer than this is cut into several: output without line ends must not fill the memory. */
const LONGEST = 16_384;

/** Control characters but the tab, line separators, and what turns the direction of text around. */
const CONTROL = /(?!\t)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const ANY_CONTROL = new RegExp(CONTROL.source, 'u');

/** Splits a stream of bytes into lines without colours and control characters. Of a line redrawn by \r the last state stays. */
export function createLines(emit: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';

  function take(text: string): void {
    rest += text;
    const parts = rest.split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) emit(clean(part));
    while (rest.length > LONGEST) {
      emit(clean(rest.slice(0, LONGEST)));
      rest = rest.slice(LONGEST);
    }
  }

  return {
    write: (chunk) => take(decoder.write(chunk)),
    end() {
      take(decoder.end());
      if (rest !== '') emit(clean(rest));
      rest = '';
    },
  };
}

function clean(line: string): string {
  // So it is with nearly every line; colours begin with a control character, too.
  if (!ANY_CONTROL.test(line)) return line;
  const shown = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  return stripVTControlCharacters(shown).replace(CONTROL, '');
}

/** `::step text` and `::progress 40`; undefined for an ordinary line. */
export function progressOf(line: string): ProgressStep | undefined {
  const text = /^::step +(?<text>\S.*)$/.exec(line)?.groups?.['text'];
  if (text !== undefined) return { text: text.trim().slice(0, 200) };
  const percent = /^::progress +(?<percent>\d{1,3}(?:\.\d+)?) ?%?\s*$/.exec(line)?.groups?.['percent'];
  return percent === undefined ? undefined : { percent: Math.min(100, Number(percent)) };
}
