/** Text from outside as a terminal may show it: it moves no cursor, sets no colour or title, and reads in one direction. */

/**
 * Replaces control characters (C0 but for line feed and tab, DEL, C1), which begin every escape sequence, with their
 * pictures or `\u{…}`, and drops what reorders or hides text (bidirectional controls, the word joiner of {@link plain}).
 */
export function visible(text: string): string {
  return (
    text
      .replace(/\r\n?/g, '\n')
      .replace(/[\u2060\u200B\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C\uFEFF]/g, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
      .replace(/[\u0000-\u0008\u000B-\u001F]/g, (sign) => String.fromCodePoint(0x2400 + sign.charCodeAt(0)))
      .replace(/\u007F/g, '\u2421')
      .replace(/[\u0080-\u009F\u2028\u2029]/g, (sign) => `\\u{${sign.charCodeAt(0).toString(16)}}`)
  );
}

const SIGNS = new Intl.Segmenter('en', { granularity: 'grapheme' });
const EMOJI = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Regional_Indicator}{2}/u;

/** How many columns a text takes, our own colours not counted. Wide characters and emoji count as two. */
export function columns(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
  const shown = text.replace(/\u001B\[[\d;]*m/g, '');
  if (/^[ -~]*$/.test(shown)) return shown.length;
  let width = 0;
  for (const { segment } of SIGNS.segment(shown)) {
    if (EMOJI.test(segment)) width += 2;
    else for (const sign of segment) width += columnsOf(sign);
  }
  return width;
}

function columnsOf(sign: string): number {
  if (/[\p{M}\u200b-\u200f\u2060\ufeff]/u.test(sign)) return 0;
  const code = sign.codePointAt(0) ?? 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    code >= 0x1f300;
  return wide ? 2 : 1;
}
