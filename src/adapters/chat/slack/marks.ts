/** Where the marks of mrkdwn stand so that Slack takes ours for emphasis and those in text for text. */

export type Mark = '*' | '_' | '~';

/** `whole` is a link or mention, ready to send; so is `code`, with its ticks. */
export type Piece =
  | { readonly kind: 'text' | 'code' | 'whole'; readonly text: string }
  | { readonly kind: 'mark'; readonly sign: Mark; readonly opens: boolean };

/**
 * Slack has no escape for its marks, and it is not documented where exactly one counts. Text keeps its marks where they cannot
 * act, as in `snake_case`, `2 * 3` and `*.example.com`; where they could, signs that look the same stand for them.
 */
const LOOKALIKE: Readonly<Record<string, string>> = { '*': '\u2217', _: '\u02cd', '~': '\u223c', '`': '\u02cb' };
/** Between these a mark is certainly none; what Slack takes for letters beside them is not documented. */
const WORD = /[A-Za-z0-9]/;
/** After these a mark opens, before those it closes, without a boundary of ours. */
const BEFORE = /[\s([{"'\u200b]/;
const AFTER = /[\s.,:;!?)\]}"']/;
const BOUNDARY = '\u200b';

/** One sign of the text, or one mark, code or link of ours. */
interface Unit {
  readonly sign: string;
  readonly piece: Piece;
}

/** One line of mrkdwn. */
export function lineOf(pieces: readonly Piece[], escape: (text: string) => string): string {
  const joined = withoutEmpty(pieces);
  const risky = riskyMarks(joined);
  let out = '';
  let index = 0;
  joined.forEach((piece, at) => {
    switch (piece.kind) {
      case 'text': {
        let text = '';
        for (const sign of piece.text) {
          text += sign === '`' || risky.has(index) ? (LOOKALIKE[sign] ?? sign) : sign;
          index++;
        }
        out += escape(text);
        break;
      }
      case 'whole':
        out += piece.text;
        index++;
        break;
      case 'code':
        out += boundaryBefore(out, joined[at - 1]) + piece.text + boundaryAfter(joined[at + 1]);
        index++;
        break;
      case 'mark':
        out += piece.opens
          ? boundaryBefore(out, joined[at - 1]) + piece.sign
          : piece.sign + boundaryAfter(joined[at + 1]);
        index++;
        break;
    }
  });
  return out;
}

/** Neighbouring texts in one piece, and no emphasis around nothing. */
function withoutEmpty(pieces: readonly Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (piece.kind === 'text' && piece.text === '') continue;
    if (piece.kind === 'text' && last?.kind === 'text') {
      out[out.length - 1] = { kind: 'text', text: last.text + piece.text };
    } else if (
      piece.kind === 'mark' &&
      !piece.opens &&
      last?.kind === 'mark' &&
      last.opens &&
      last.sign === piece.sign
    ) {
      out.pop();
    } else out.push(piece);
  }
  return out;
}

/** Positions of marks in text that could open or close emphasis, together or with ours. */
function riskyMarks(pieces: readonly Piece[]): Set<number> {
  const units: Unit[] = pieces.flatMap((piece) => {
    if (piece.kind === 'text') return Array.from(piece.text, (sign) => ({ sign, piece }));
    return [{ sign: piece.kind === 'mark' ? piece.sign : '\ufffc', piece }];
  });
  const risky = new Set<number>();
  for (const mark of ['*', '_', '~'] as const) {
    if (!units.some(({ sign, piece }) => sign === mark && piece.kind === 'text')) continue;
    const ours = units.some(({ sign, piece }) => sign === mark && piece.kind === 'mark');
    const found: number[] = [];
    let opened = false;
    let paired = ours;
    units.forEach(({ sign, piece }, index) => {
      if (sign !== mark || piece.kind !== 'text') return;
      const before = units[index - 1]?.sign ?? ' ';
      const after = units[index + 1]?.sign ?? ' ';
      const opens = !WORD.test(before) && !/\s/.test(after);
      const closes = !WORD.test(after) && !/\s/.test(before);
      if (opens || closes) found.push(index);
      if (closes && opened) paired = true;
      if (opens) opened = true;
    });
    if (paired) for (const index of found) risky.add(index);
  }
  return risky;
}

function boundaryBefore(out: string, previous: Piece | undefined): string {
  if (out === '' || (previous?.kind === 'mark' && previous.opens)) return '';
  return BEFORE.test(out.slice(-1)) ? '' : BOUNDARY;
}

function boundaryAfter(next: Piece | undefined): string {
  if (next === undefined || (next.kind === 'mark' && !next.opens)) return '';
  return next.kind === 'text' && AFTER.test(next.text.charAt(0)) ? '' : BOUNDARY;
}
