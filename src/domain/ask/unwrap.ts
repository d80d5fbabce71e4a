/** Files are wrapped at some width; chats wrap by themselves, and show every line end. Pure. */

/** Shorter lines end where their author wanted: an address, a list of names. */
const WRAPPED_FROM = 60;
const FENCE = /^\s*(?:(?:[-*+]|\d+[.)])\s+)?(`{3,}|~{3,})/;
/** A line that begins something of its own: a list item, a heading, a quotation, a row of a table, a rule, HTML. */
const BEGINS = /^\s*(?:[-*+]\s|\d{1,9}[.)]\s|#{1,6}\s|>|\||(?:[-_*=]\s*){3,}$|=+\s*$|-+\s*$|<\/?[a-z!])/i;
/** What is complete in one line, and an end that is meant: two spaces or a backslash. */
const ENDS = /^\s*(?:#{1,6}\s|\||(?:[-_*=]\s*){3,}$)| {2}$|\\$/;

/** Markdown in which a wrapped paragraph or list item is one line. */
export function unwrapped(markdown: string): string {
  const lines: string[] = [];
  let fence: string | undefined;
  let before = '';
  for (const line of markdown.split('\n')) {
    const mark = FENCE.exec(line)?.[1];
    const isProse = fence === undefined && mark === undefined;
    const goesOn = before.length >= WRAPPED_FROM && !ENDS.test(before) && line.trim() !== '' && !BEGINS.test(line);
    if (isProse && goesOn) lines.push(`${lines.pop() ?? ''} ${line.trim()}${/ {2}$/.test(line) ? '  ' : ''}`);
    else lines.push(line);
    before = isProse ? line : '';
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence)) fence = undefined;
  }
  return lines.join('\n');
}
