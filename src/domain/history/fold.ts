/** How text is compared: the same for what was said, for what is looked for, and for names. */

import { namesOnly } from '../../bot/card.ts';

/** What a reader sees of Markdown: no escapes, no marks of code and emphasis, no invisible characters. */
export function readable(text: string): string {
  return namesOnly(text)
    .replace(/[\u200b-\u200f\u2060-\u2064\ufeff\u00ad]/g, '')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replace(/`+|\*\*/g, '');
}

/** Readable text as it is compared: without case and accents, single spaces. */
export function foldText(text: string): string {
  return withoutAccents(text.normalize('NFKC')).toLowerCase().replace(/\s+/g, ' ').trim();
}

/** A name as it is compared: `@Alice`, `alice` and `Alicé` are one. */
export function foldName(name: string): string {
  return foldText(name.replace(/[\u200b-\u200f\u2060-\u2064\ufeff\u00ad\0]/g, '').replace(/^\s*[@#]/, ''));
}

/** Only the accents of European letters: in other scripts a mark makes another letter. */
export function withoutAccents(text: string): string {
  return text
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC');
}
