/** Markdown as text that reads well without a renderer, or with the little that a terminal can do. */

import createMarkdown from 'markdown-it';
import { mentioned } from '../../../bot/card.ts';

/** What a chat can do with a piece of text; the plain one does nothing. */
export interface TextStyle {
  readonly strong: (text: string) => string;
  readonly emphasis: (text: string) => string;
  readonly code: (text: string) => string;
  readonly struck: (text: string) => string;
  readonly link: (text: string, url: string) => string;
}

const same = (text: string) => text;

export const PLAIN: TextStyle = {
  strong: same,
  emphasis: same,
  code: same,
  struck: same,
  link: (text, url) => (text === url || `mailto:${text}` === url ? text : `${text} (${url})`),
};

type Token = ReturnType<typeof parser.parse>[number];

const parser = createMarkdown({ html: false, linkify: false, breaks: true });

/** Markdown as text: paragraphs and lists keep their lines, links show their address, code keeps its spaces. */
export function markdownText(markdown: string, style: TextStyle = PLAIN): string {
  const out: string[] = [];
  const lists: { next: number | undefined }[] = [];
  let quotes = 0;
  let bullet = '';
  let heading = false;
  let cells: string[] | undefined;

  function write(text: string): void {
    const indent = '> '.repeat(quotes) + '  '.repeat(Math.max(0, lists.length - 1));
    text.split('\n').forEach((line, index) => {
      const lead = index === 0 ? bullet : ' '.repeat(bullet.length);
      out.push((indent + lead + line).trimEnd());
    });
    bullet = ' '.repeat(bullet.length);
  }
  function gap(): void {
    if (lists.length === 0 && quotes === 0 && out.length > 0 && out.at(-1) !== '') out.push('');
  }

  for (const token of parser.parse(markdown, {})) {
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
        gap();
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
        bullet = list?.next === undefined ? '- ' : `${list.next}. `;
        if (list?.next !== undefined) list.next += 1;
        break;
      }
      case 'list_item_close':
        bullet = '';
        break;
      case 'inline': {
        const text = inline(token.children ?? [], style);
        if (cells) cells.push(text);
        else write(heading ? style.strong(text) : text);
        break;
      }
      case 'fence':
      case 'code_block':
        gap();
        write(token.content.replace(/\n$/, '').split('\n').map(style.code).join('\n'));
        break;
      case 'hr':
        gap();
        write('---');
        break;
      case 'tr_open':
        cells = [];
        break;
      case 'tr_close':
        write((cells ?? []).join('  |  '));
        cells = undefined;
        break;
      case 'table_open':
        gap();
        break;
    }
  }
  return out.join('\n').trim();
}

function inline(tokens: readonly Token[], style: TextStyle): string {
  const open: { type: string; url: string; text: string }[] = [{ type: 'root', url: '', text: '' }];
  const add = (text: string) => {
    const top = open.at(-1);
    if (top) top.text += text;
  };
  for (const token of tokens) {
    if (token.nesting === 1) open.push({ type: token.type, url: String(token.attrGet('href') ?? ''), text: '' });
    else if (token.nesting === -1) {
      const done = open.length > 1 ? open.pop() : undefined;
      if (done) add(styled(done, style));
    } else if (token.type === 'softbreak' || token.type === 'hardbreak') add('\n');
    else if (token.type === 'code_inline') add(style.code(token.content));
    else if (token.type === 'image') add(style.link(token.content || 'image', String(token.attrGet('src') ?? '')));
    else add(token.content);
  }
  return open.map(({ text }) => text).join('');
}

function styled({ type, url, text }: { type: string; url: string; text: string }, style: TextStyle): string {
  switch (type) {
    case 'strong_open':
      return style.strong(text);
    case 'em_open':
      return style.emphasis(text);
    case 's_open':
      return style.struck(text);
    case 'link_open':
      return mentioned(url) === undefined ? style.link(text, url) : text;
    default:
      return text;
  }
}
