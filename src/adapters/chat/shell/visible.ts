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

/** How many columns a text takes, our own colours not counted. Wide characters count as two. */
export function columns(text: string): number {
  let width = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
  for (const sign of text.replace(/\u001B\[[\d;]*m/g, '')) {
    const code = sign.codePointAt(0) ?? 0;
    if (/\p{M}/u.test(sign)) continue;
    width +=
      (code >= 0x1100 && code <= 0x115f) ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      code >= 0x1f300
        ? 2
        : 1;
  }
  return width;
}
