/** Cuts mrkdwn into pieces of a given length, where a reader would. */

/** Where a line of mrkdwn may not be cut: in a link or mention, in an escape, in the middle of a character. */
const ATOM = /<[^<>\n]*>|&(?:amp|lt|gt);|[\ud800-\udbff][\udc00-\udfff]/g;
const FENCE = '```';

/**
 * Pieces of at most `limit` characters: cut between paragraphs, else between lines, else between words. A code block that is cut
 * is closed, and opened again in the next piece.
 */
export function splitMrkdwn(text: string, limit: number): string[] {
  const out: string[] = [];
  let current = '';
  for (const part of paragraphs(text)) {
    const joined = current === '' ? part : `${current}\n\n${part}`;
    if (joined.length <= limit) current = joined;
    else if (part.length <= limit && current.length > limit / 2) {
      out.push(current);
      current = part;
    } else {
      const parts = byLines(joined, limit);
      current = parts.pop() ?? '';
      out.push(...parts);
    }
  }
  if (current.trim() !== '') out.push(current);
  return out;
}

/** The beginning of a text, `…` at its end if there is more. */
export function beginning(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${cutLine(text, limit - 1, true)[0]}…`;
}

/** The first lines; a code block that is cut is closed. */
export function firstLines(text: string, most: number): string {
  const lines = text.split('\n');
  if (lines.length <= most) return text;
  const kept = lines.slice(0, most);
  if (kept.filter((line) => line === FENCE).length % 2 === 1) kept.push(FENCE);
  return kept.join('\n');
}

/** Between blank lines that stand in no code block. */
function paragraphs(text: string): string[] {
  const out: string[][] = [[]];
  let fence = false;
  for (const line of text.split('\n')) {
    if (line === FENCE) fence = !fence;
    if (line === '' && !fence) out.push([]);
    else out.at(-1)?.push(line);
  }
  return out.map((lines) => lines.join('\n')).filter((part) => part !== '');
}

function byLines(text: string, limit: number): string[] {
  const out: string[] = [];
  let lines: string[] = [];
  let length = -1;
  let fence = false;
  const add = (line: string) => {
    lines.push(line);
    length += line.length + 1;
  };
  const flush = () => {
    const empty = lines.every((line) => line === '' || line === FENCE);
    if (fence) lines.push(FENCE);
    if (!empty) out.push(lines.join('\n').replace(/^\n+|\n+$/g, ''));
    lines = [];
    length = -1;
    if (fence) add(FENCE);
  };
  for (const line of text.split('\n')) {
    const room = () => limit - length - 1 - (fence ? FENCE.length + 1 : 0);
    if (line === FENCE) {
      // A block is not begun where nothing of it fits.
      if (!fence && room() < 3 * FENCE.length) flush();
      add(line);
      fence = !fence;
      continue;
    }
    let rest = line;
    if (rest.length > room() && lines.length > (fence ? 1 : 0)) flush();
    while (rest.length > room()) {
      const [head, tail] = cutLine(rest, room(), fence);
      add(head);
      rest = tail;
      flush();
    }
    add(rest);
  }
  fence = false;
  flush();
  return out;
}

/** A line in two: the first at most `limit` long. Code within a line is closed and opened again; a quote goes on as one. */
function cutLine(line: string, limit: number, asIs: boolean): [string, string] {
  const most = asIs ? limit : Math.max(1, limit - 1);
  const parts = cutAt(line, placeToCut(line, most), asIs);
  // What is opened again may be as long as what was cut off.
  return parts[1].length < line.length ? parts : cutAt(line, most, asIs);
}

function cutAt(line: string, at: number, asIs: boolean): [string, string] {
  const quote = !asIs && line.startsWith('> ') ? '> ' : '';
  const head = line.slice(0, at);
  const tail = line.slice(at).replace(/^ /, '');
  const code = !asIs && head.split('`').length % 2 === 0;
  return code ? [`${head}\``, `${quote}\`${tail}`] : [head, quote + tail];
}

function placeToCut(line: string, most: number): number {
  let at = most;
  for (const { index, 0: atom } of line.matchAll(ATOM)) {
    if (index >= at) break;
    if (index > 0 && index + atom.length > at) at = index;
  }
  const space = lastSpace(line, at);
  return space > at / 2 ? space : at;
}

/** The last space before a position that is in no link. */
function lastSpace(line: string, before: number): number {
  let space = line.lastIndexOf(' ', before);
  while (space > 0) {
    const opened = line.lastIndexOf('<', space);
    if (opened < 0 || line.lastIndexOf('>', space) > opened) break;
    space = line.lastIndexOf(' ', opened);
  }
  return space;
}
