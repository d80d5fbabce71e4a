/** From what people type to words. Pure. */

export interface Token {
  /** Without quotation marks. */
  readonly text: string;
  /** Where it stands in the normalised text. */
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

const PLAIN_TEXT = /^[\w ./,:@#?!=+\-()]*$/;

/**
 * The text as it was meant: chats and keyboards change what people type. Code ticks around the whole command go, Slack's
 * escapes (https://docs.slack.dev/messaging/formatting-message-text) are undone, odd spaces become spaces, invisible
 * characters go, a dash that a phone made of `--` becomes `--` again.
 */
export function normalise(typed: string): string {
  const trimmed = typed.trim();
  if (PLAIN_TEXT.test(trimmed)) return trimmed;
  return unescapeSlack(unwrapCode(trimmed), addressed)
    .replace(/[\u200b-\u200d\u2060\ufeff\u00ad\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, ' ')
    .replace(/(^|\s)[\u2012-\u2015](?=[A-Za-z])/g, '$1--')
    .trim();
}

function unwrapCode(text: string): string {
  const fenced = /^```(?:\w*\n)?([\s\S]*?)\n?```$/.exec(text);
  if (fenced?.[1] !== undefined) return fenced[1].trim();
  const ticked = /^`([^`]+)`$/.exec(text);
  return ticked?.[1] !== undefined ? ticked[1].trim() : text;
}

/**
 * Text as Slack sends it with its references and escapes undone: `<https://x|x>`, `<@U1>`, `<#C1|ops>`, `<!here>`, `&amp;`.
 * https://docs.slack.dev/messaging/formatting-message-text
 *
 * @param show what to put for a reference; undefined leaves it as it is
 */
export function unescapeSlack(
  text: string,
  show: (target: string, label: string | undefined) => string | undefined,
): string {
  return text
    .replace(
      /<(![^<>|]+|[^<>|\s]+)\|([^<>]*)>|<((?:https?|mailto):[^<>\s]+|[@#!][\w^-]+)>/g,
      (whole, labelled: string | undefined, label: string | undefined, bare: string | undefined) =>
        show(labelled ?? bare ?? '', label) ?? whole,
    )
    .replace(/&(amp|lt|gt);/g, (_, name: 'amp' | 'lt' | 'gt') => ({ amp: '&', lt: '<', gt: '>' })[name]);
}

/** `<https://x|x>` is the address, `<#C1|ops>` the room's name, `<@U1|bob>` the person's id. */
function addressed(target: string, label: string | undefined): string | undefined {
  if (target.startsWith('!')) return label;
  // Slack leaves the label empty in many places.
  if (target.startsWith('#')) return `#${label || target.slice(1)}`;
  return target.replace(/^mailto:/, '');
}

const CLOSING: Readonly<Record<string, string>> = {
  '"': '"\u201c\u201d',
  '\u201c': '\u201d"\u201c',
  '\u201d': '\u201d"',
  '\u201e': '\u201c\u201d"',
  '\u00ab': '\u00bb',
  "'": "'\u2018\u2019",
  '\u2018': "\u2019'",
};
const SPACE = /\s/;

/**
 * Splits normalised text into words. Quotation marks, straight or curly, hold words together where a word starts or right after
 * `key:` or `=`; one that is never closed is taken as an ordinary character, so that `what's up` and `5" disk` are just words.
 */
export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  // Marks of which none closes any more, so that a long line of them is not searched again for each.
  const unclosed = new Set<string>();
  let at = 0;
  while (at < text.length) {
    while (at < text.length && SPACE.test(text.charAt(at))) at++;
    if (at >= text.length) break;
    const start = at;
    let word = '';
    let quoted = false;
    while (at < text.length && !SPACE.test(text.charAt(at))) {
      const character = text.charAt(at);
      const closing = opensQuote(text, start, at) && !unclosed.has(character) ? CLOSING[character] : undefined;
      const end = closing === undefined ? -1 : closingQuote(text, at + 1, closing);
      if (closing !== undefined && end < 0) unclosed.add(character);
      if (end > 0) {
        word += text.slice(at + 1, end);
        at = end + 1;
        quoted = true;
      } else {
        word += character;
        at++;
      }
    }
    tokens.push({ text: word, start, end: at, quoted });
  }
  return tokens;
}

function opensQuote(text: string, start: number, at: number): boolean {
  return at === start || text.charAt(at - 1) === ':' || text.charAt(at - 1) === '=';
}

/** Position of the mark that closes the quotation: one followed by a space or the end. -1 if there is none. */
function closingQuote(text: string, from: number, closing: string): number {
  for (let at = from; at < text.length; at++) {
    if (!closing.includes(text.charAt(at))) continue;
    if (at + 1 === text.length || SPACE.test(text.charAt(at + 1))) return at;
  }
  return -1;
}
