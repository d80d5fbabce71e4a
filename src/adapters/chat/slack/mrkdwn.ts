/**
 * Markdown as Slack's mrkdwn. The rules are those of https://docs.slack.dev/messaging/formatting-message-text:
 * `*bold*`, `_italic_`, `~struck~`, `<url|text>`, `&<>` escaped, no escape for anything else. What is made here belongs into text
 * objects with `verbatim: true`: then Slack makes no links and mentions of its own out of text.
 */

import createMarkdown, { type MarkdownIt } from 'markdown-it';
import { mentioned } from '../../../bot/card.ts';
import { codeOf, escaped, fenced } from './escape.ts';
import { lineOf, type Mark, type Piece } from './marks.ts';
import { isNarrow, type Table, tableList, tableText } from './table.ts';

type Token = ReturnType<MarkdownIt['parse']>[number];

/** Longer addresses are not links: a section holds 3,000 characters, and a link cannot be cut. */
const MAX_URL = 2_000;
const MAX_LABEL = 500;
const WEB = /^(?:https?:\/\/|mailto:)/i;
const SPACE = '\u00a0';
const BULLETS = ['•', '◦', '▪'];

const parser = createParser();

function createParser(): MarkdownIt {
  const md = createMarkdown({ html: false, linkify: true, breaks: true });
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
  // Kept apart, so that `\[x\]` is told from `[x]`.
  md.disable('text_join');
  return md;
}

/**
 * Markdown as mrkdwn. Nobody is mentioned but by `mention()` (src/bot/card.ts).
 *
 * @param chat whose people can be mentioned: `slack`, or the name of a further workspace's chat
 */
export function toMrkdwn(markdown: string, chat = 'slack'): string {
  const lines: string[] = [];
  const lists: { next: number | undefined }[] = [];
  let quotes = 0;
  let bullet = '';
  let heading = false;
  let table: Table | undefined;

  const put = (line: string) => {
    lines.push(quotes > 0 ? `> ${line}`.trimEnd() : line.trimEnd());
  };
  const gap = () => {
    if (lists.length === 0 && lines.length > 0 && !/^>?$/.test(lines.at(-1) ?? '')) put('');
  };
  const write = (text: string) => {
    // Slack need not keep spaces at the start of a line.
    const indent = SPACE.repeat(4).repeat(Math.max(0, lists.length - 1));
    text.split('\n').forEach((line, index) => {
      const lead = index === 0 ? bullet : SPACE.repeat(bullet.length);
      // At the start of a line Slack takes an escaped `>` for a quote, too.
      put(indent + lead + (lead === '' && line.startsWith('&gt;') ? `\u2060${line}` : line));
    });
    bullet = SPACE.repeat(bullet.length);
  };
  const block = (text: string) => {
    const content = text.replace(/\n$/, '');
    if (quotes > 0) for (const line of content.split('\n')) put(line.trim() === '' ? '' : codeOf(line));
    else if (content.trim() !== '') lines.push('```', ...escaped(fenced(content)).split('\n'), '```');
  };

  for (const token of parser.parse(markdown.toWellFormed(), {})) {
    switch (token.type) {
      case 'paragraph_open':
        gap();
        break;
      case 'heading_open':
        gap();
        heading = true;
        break;
      case 'heading_close':
        heading = false;
        break;
      case 'blockquote_open':
        if (quotes === 0) gap();
        quotes += 1;
        break;
      case 'blockquote_close':
        quotes -= 1;
        break;
      case 'bullet_list_open':
      case 'ordered_list_open':
        gap();
        lists.push({ next: token.type === 'ordered_list_open' ? Number(token.attrGet('start') ?? 1) : undefined });
        break;
      case 'bullet_list_close':
      case 'ordered_list_close':
        lists.pop();
        bullet = '';
        break;
      case 'list_item_open': {
        const list = lists.at(-1);
        const sign = BULLETS[Math.min(lists.length, BULLETS.length) - 1] ?? '•';
        bullet = list?.next === undefined ? `${sign} ` : `${list.next}. `;
        if (list?.next !== undefined) list.next += 1;
        break;
      }
      case 'list_item_close':
        if (bullet.trim() !== '') write('');
        bullet = '';
        break;
      case 'inline': {
        const children = token.children ?? [];
        if (table) {
          table.rows.at(-1)?.push(words(children));
          break;
        }
        const done = bullet.trim() === '' ? undefined : taskOf(children);
        if (done !== undefined) bullet = done ? '☑ ' : '☐ ';
        write(inline(children, chat, heading));
        break;
      }
      case 'fence':
      case 'code_block':
        gap();
        block(token.content);
        break;
      case 'hr':
        gap();
        put('──────────');
        break;
      case 'table_open':
        gap();
        table = { rows: [], right: [] };
        break;
      case 'tr_open':
        table?.rows.push([]);
        break;
      case 'th_open':
        table?.right.push(String(token.attrGet('style') ?? '').includes('right'));
        break;
      case 'table_close':
        if (table && isNarrow(table)) block(tableText(table));
        else if (table) for (const line of tableList(table)) put(line);
        table = undefined;
        break;
    }
  }
  while (lines.length > 0 && /^>?$/.test(lines.at(-1) ?? '')) lines.pop();
  return lines.join('\n');
}

const MARKS: Readonly<Record<string, Mark>> = { strong: '*', em: '_', s: '~' };

/** Slack ends emphasis with the line: it is closed there and opened again on the next. */
function inline(tokens: readonly Token[], chat: string, bold: boolean): string {
  const done: Piece[][] = [];
  let pieces: Piece[] = [];
  const open: Mark[] = [];
  const mark = (sign: Mark, opens: boolean) => pieces.push({ kind: 'mark', sign, opens });
  const enter = (sign: Mark) => {
    if (!open.includes(sign)) mark(sign, true);
    open.push(sign);
  };
  const leave = (sign: Mark) => {
    open.splice(open.lastIndexOf(sign), 1);
    if (!open.includes(sign)) mark(sign, false);
  };
  const newLine = () => {
    const around = [...new Set(open)];
    for (const sign of around.toReversed()) mark(sign, false);
    done.push(pieces);
    pieces = [];
    for (const sign of around) mark(sign, true);
  };
  const text = (content: string) => pieces.push(...withMoments(content));

  if (bold) enter('*');
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) break;
    const sign = MARKS[token.type.replace(/_(?:open|close)$/, '')];
    if (sign !== undefined) {
      if (token.nesting === 1) enter(sign);
      else leave(sign);
    } else if (token.type === 'link_open') {
      const end = tokens.findIndex((other, index) => index > at && other.type === 'link_close');
      const label = tokens.slice(at + 1, end);
      const around = emphasisOf(label).filter((each) => !open.includes(each));
      for (const each of around) enter(each);
      pieces.push(linkPiece(String(token.attrGet('href') ?? ''), words(label), token.info === 'auto', chat));
      for (const each of around.toReversed()) leave(each);
      at = end;
    } else if (token.type === 'image') {
      pieces.push(linkPiece(String(token.attrGet('src') ?? ''), words(token.children ?? []), false, chat));
    } else if (token.type === 'softbreak' || token.type === 'hardbreak') newLine();
    else if (token.type === 'code_inline') {
      if (token.content.trim() === '') text(token.content);
      else pieces.push({ kind: 'code', text: codeOf(token.content) });
    } else text(token.content);
  }
  for (const sign of [...new Set(open)].toReversed()) mark(sign, false);
  done.push(pieces);
  return done.map((line) => lineOf(line, escaped)).join('\n');
}

const MOMENT = /(?<!\S)(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC\b/g;

/**
 * Moments as `moment()` (src/bot/card.ts) writes them are shown to each reader by their own clock.
 * https://docs.slack.dev/messaging/formatting-message-text#date-formatting
 */
function withMoments(content: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const { 0: written, 1: day, 2: clock, index } of content.matchAll(MOMENT)) {
    const seconds = Date.parse(`${day}T${clock}Z`) / 1000;
    if (Number.isNaN(seconds)) continue;
    if (index > from) found.push({ kind: 'text', text: content.slice(from, index) });
    found.push({ kind: 'whole', text: `<!date^${seconds}^{date_short_pretty} {time}|${written}>` });
    from = index + written.length;
  }
  return from < content.length || from === 0 ? [...found, { kind: 'text', text: content.slice(from) }] : found;
}

/** The emphasis that is around the whole of a link's label: in there Slack knows none. */
function emphasisOf(tokens: readonly Token[]): Mark[] {
  const label = tokens.filter(({ type, content }) => type !== 'text' || content !== '');
  const sign = label[0]?.nesting === 1 ? MARKS[label[0].type.replace(/_open$/, '')] : undefined;
  if (sign === undefined) return [];
  let depth = 0;
  const end = label.findIndex((token) => {
    depth += token.nesting;
    return depth === 0;
  });
  return end === label.length - 1 ? [sign, ...emphasisOf(label.slice(1, -1))] : [];
}

function linkPiece(url: string, label: string, auto: boolean, chat: string): Piece {
  const person = mentioned(url);
  if (person !== undefined) {
    const id = person.startsWith(`${chat}:`) ? person.slice(chat.length + 1) : '';
    return /^[UW][A-Z0-9]+$/.test(id) ? { kind: 'whole', text: `<@${id}>` } : { kind: 'text', text: label };
  }
  if (!WEB.test(url) || url.length > MAX_URL) {
    const shown = label.trim() === '' ? url : label;
    return { kind: 'text', text: /^[a-z][a-z0-9+.-]*:/i.test(url) && shown !== url ? `${shown} (${url})` : shown };
  }
  const address = url
    .replace(/[|<>`\s]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
    .replaceAll('&', '&amp;');
  const shown = label.trim();
  if (shown === '' || (auto && /^https?:/i.test(url))) return { kind: 'whole', text: `<${address}>` };
  const short = shown.length > MAX_LABEL ? `${shown.slice(0, MAX_LABEL).toWellFormed()}…` : shown;
  const safe = lineOf([{ kind: 'text', text: short.replaceAll('|', '\u2223') }], escaped);
  return { kind: 'whole', text: `<${address}|${safe}>` };
}

/** Just what is read of inline Markdown, on one line. */
function words(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      if (token.type === 'softbreak' || token.type === 'hardbreak') return ' ';
      return token.type === 'image' ? words(token.children ?? []) : token.content;
    })
    .join('');
}

/** Whether the item of a task list is done; its box is taken off. Undefined if it is no task. */
function taskOf(children: readonly Token[]): boolean | undefined {
  const [first] = children;
  const found = first?.type === 'text' ? /^\[([ xX])\] /.exec(first.content) : null;
  if (!first || !found) return undefined;
  first.content = first.content.slice(found[0].length);
  return found[1] !== ' ';
}
