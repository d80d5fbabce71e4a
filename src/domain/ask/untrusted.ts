/**
 * Markdown from outside (a model's answer, a file's passage) as Markdown that mentions nobody, loads no picture and links
 * only where we allow it. Code stays as it is: nothing in it is clickable.
 */

import { plain } from '../../bot/card.ts';

/** A Markdown link; the label is text, the address ours. */
export function linkTo(label: string, url: string): string {
  return `[${plain(label)}](${url.replaceAll('(', '%28').replaceAll(')', '%29').replaceAll(' ', '%20')})`;
}

interface Piece {
  readonly code: boolean;
  readonly text: string;
}

const FENCE = /^\s*(?:(?:[-*+]|\d+[.)])\s+)?(?<mark>`{3,}(?=[^`]*$)|~{3,})(?<info>.*)$/;

/**
 * Cuts Markdown into code (fenced or inline) and the rest. Code comes out written so that every renderer takes the same
 * for code as we do: fences at the start of the line and closed, inline code within one line.
 */
export function pieces(markdown: string): Piece[] {
  const found: Piece[] = [];
  let prose: string[] = [];
  let fence: { mark: string; info: string; lines: string[] } | undefined;
  const flush = (): void => {
    if (prose.length > 0) found.push(...inlinePieces(`${prose.join('\n')}\n`));
    prose = [];
  };
  const close = ({ mark, info, lines }: { mark: string; info: string; lines: string[] }): void => {
    const body = lines.map((line) => `${line}\n`).join('');
    found.push({ code: true, text: `${mark}${info}\n${body}${mark}\n` });
  };
  for (const line of markdown.replaceAll('\r', '').split('\n')) {
    const mark = FENCE.exec(line)?.groups;
    if (fence === undefined && mark?.['mark'] !== undefined) {
      flush();
      fence = { mark: mark['mark'], info: /^[\w+-]*/.exec(mark['info']?.trim() ?? '')?.[0] ?? '', lines: [] };
    } else if (fence === undefined) prose.push(line);
    else if (mark?.['mark']?.startsWith(fence.mark) && mark['info']?.trim() === '') {
      close(fence);
      fence = undefined;
    } else fence.lines.push(line);
  }
  flush();
  if (fence !== undefined) close(fence);
  const last = found.pop();
  if (last !== undefined) found.push({ ...last, text: last.text.replace(/\n$/, '') });
  return found;
}

function inlinePieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(/\\[\s\S]|(?<code>(?<!`)(?<ticks>`+)(?!`)[^\n]*?(?<!`)\k<ticks>(?!`))|`+/g)) {
    if (match.groups?.['code'] === undefined) continue;
    if (match.index > from) found.push({ code: false, text: text.slice(from, match.index) });
    found.push({ code: true, text: match[0] });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ code: false, text: text.slice(from) });
  return found;
}

const INLINE_LINK =
  /!?\[(?<label>(?:[^\][\\]|\\.|\[[^\][]{0,200}\]){0,400})\]\(\s{0,20}(?<url><[^>\n]{0,2000}>|[^\s()]{0,2000}(?:\([^\s()]{0,200}\)[^\s()]{0,200}){0,20})(?:\s[^)]{0,400})?\)/g;
const ADDRESS =
  /(?:\b[a-z][a-z0-9+.-]{0,30}:\/\/|\bwww\.|\/\/(?=[\p{L}\p{N}]))[^\s<>"'`\])]+|\b(?:mailto|javascript|data|tel|vbscript):[^\s<>"'`\])]+|\b(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}(?::\d+)?[/?#][^\s<>"'`\])]*/giu;

/** Chats turn these into links, too. */
const EMAIL = /[\p{L}\p{N}][\p{L}\p{N}._%+-]{0,63}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu;

/** Hosts that chats turn into links by themselves. */
const BARE_HOST =
  /(?<![\p{L}\p{N}@/.-])(?:[\p{L}\p{N}_-]{1,63}\.){1,8}(?:com|net|org|io|dev|app|co|ai|sh|me|xyz|info|biz|link|click|top|site|online|cloud|eu|de|uk|us|fr|nl|ru|cn|in|to|ly|gg|tv|cc)(?![\p{L}\p{N}-])/giu;

export interface Allowed {
  /** May a link to this address stay a link? */
  link(url: string): boolean;
  /** May this address be shown, as code that cannot be clicked? Otherwise it is left out. */
  show(url: string): boolean;
}

const REMOVED = '\\(link removed\\)';

function prose(text: string, allowed: Allowed): string {
  const kept: string[] = [];
  const keep = (markdown: string): string => `\uE000${kept.push(markdown) - 1}\uE001`;
  const address = (url: string): string => {
    const [, core = url, tail = ''] = /^(.*?)([.,;:!?*_]*)$/.exec(url) ?? [];
    return (allowed.show(core) && !core.includes('`') ? keep(`\`${core}\``) : keep(REMOVED)) + tail;
  };
  const out = text
    .replace(/[\uE000\uE001]/g, '')
    .replace(/\\([:/.@?#])/g, '$1')
    .replace(INLINE_LINK, (whole: string, label: string, url: string) => {
      const target = url.replace(/^<|>$/g, '');
      if (whole.startsWith('!')) return label;
      return allowed.link(target) ? keep(linkTo(label.replace(/\\(.)/g, '$1'), target)) : label;
    })
    .replace(/<\/?[a-z][^<>]*>|<!--[\s\S]*?-->/gi, (tag) =>
      /^<[a-z][a-z0-9+.-]{0,30}:|^<[^\s<>]+@/i.test(tag) ? tag.slice(1, -1) : '',
    )
    .replace(ADDRESS, address)
    .replace(EMAIL, (mail) => keep(`\`${mail}\``))
    .replace(BARE_HOST, (host) => keep(`\`${host}\``))
    .replace(/(?<!\\)((?:\\\\)*)`/g, '$1\\`')
    .replace(/&(?=#?\w+;)/g, '\\&')
    .replace(/\]\(/g, '] (')
    .replace(/\]:/g, ']\\:')
    .replace(/!\[/g, '!\\[')
    .replace(/<(?=[\p{L}!/@#?])/gu, '\\<')
    .replace(/@(?=[\p{L}\p{N}_])/gu, '@\u2060');
  return out.replace(/\uE000(\d+)\uE001/g, (_, at: string) => kept[Number(at)] ?? '');
}

/** Inline code in a table: a `|` in it ends the cell, so what follows is no code for the renderer. */
function tableCode(code: string): string {
  return code
    .replace(ADDRESS, 'link removed')
    .replace(/\]\s*[([:]/g, '] ')
    .replace(/[<@]/g, '');
}

const TABLE = /^(?=.*\|)(?=.*-)[\s>|:*+-]+$/m;

/** Makes Markdown from outside safe to show. `between` is applied to what is not code, after everything else. */
export function neutralise(
  markdown: string,
  allowed: Allowed,
  between: (text: string) => string = (text) => text,
): string {
  const table = TABLE.test(markdown);
  return pieces(markdown)
    .map(({ code, text }) => {
      if (!code) return between(prose(text, allowed));
      return table && text.includes('|') && !text.includes('\n') ? tableCode(text) : text;
    })
    .join('');
}

/** Cuts Markdown to about `limit` characters: at a paragraph if one ends late enough, else at a line; open code is closed. */
export function shorten(markdown: string, limit: number): { text: string; cut: boolean } {
  if (markdown.length <= limit) return { text: markdown, cut: false };
  const head = markdown.slice(0, limit);
  const paragraph = head.lastIndexOf('\n\n');
  const line = head.lastIndexOf('\n');
  const end = paragraph > limit * 0.6 ? paragraph : line > limit * 0.6 ? line : head.lastIndexOf(' ') + 1 || limit;
  const closed = pieces(head.slice(0, end).trimEnd());
  return { text: closed.map(({ text }) => text).join(''), cut: true };
}
