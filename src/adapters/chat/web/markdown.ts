/** Markdown to HTML that is safe to insert: no raw HTML, no pictures from elsewhere, no inline styles. */

import createMarkdown, { type MarkdownIt } from 'markdown-it';
import { mentioned } from '../../../bot/card.ts';

const ALIGN = /text-align:(left|center|right)/;
/** Web and mail addresses, links to our own messages, and people who are mentioned. */
const LINK = /^(?:https?:\/\/|mailto:|person:|\/?#\/room\/)/i;

const PERSON = /^person:/i;

const parser = createParser();

/** Characters of text whose HTML is remembered: some nasty texts take 50 ms, and everybody who looks into a room needs them. */
const REMEMBERED = 1_000_000;
const remembered = new Map<string, string>();
let size = 0;

/** HTML for text in Markdown. Whatever stands in the text, no script, style, frame or foreign picture comes of it. */
export function renderMarkdown(text: string): string {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const html = parser.render(text).trim();
  remembered.set(text, html);
  size += text.length;
  for (const [oldest] of remembered) {
    if (size <= REMEMBERED) break;
    remembered.delete(oldest);
    size -= oldest.length;
  }
  return html;
}

function createParser(): MarkdownIt {
  const md = createMarkdown('default', { html: false, linkify: true, breaks: true, typographer: false });
  md.disable('image');
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
  md.validateLink = (url) => LINK.test(url.trim());
  // A mention is a bold name: there is nothing behind it that one could go to.
  md.core.ruler.push('mentions', (state) => {
    for (const { children } of state.tokens) {
      let inside = false;
      for (const token of children ?? []) {
        const opens = token.type === 'link_open' && PERSON.test(String(token.attrGet('href')));
        if (!opens && !(inside && token.type === 'link_close')) continue;
        const named = opens && mentioned(String(token.attrGet('href'))) !== undefined;
        inside = opens;
        token.type = opens ? 'strong_open' : 'strong_close';
        token.tag = 'strong';
        token.attrs = named ? [['class', 'mention']] : null;
      }
    }
  });
  const openLink = md.renderer.rules['link_open'];
  md.renderer.rules['link_open'] = (tokens, index, options, env, self) => {
    const token = tokens[index];
    token?.attrSet('rel', 'noopener noreferrer');
    if (
      !String(token?.attrGet('href') ?? '')
        .replace(/^\//, '')
        .startsWith('#')
    )
      token?.attrSet('target', '_blank');
    return openLink ? openLink(tokens, index, options, env, self) : self.renderToken(tokens, index, options);
  };
  // The content security policy forbids style attributes: alignment of table cells becomes a class.
  md.core.ruler.push('align_by_class', (state) => {
    for (const token of state.tokens) {
      const align = ALIGN.exec(String(token.attrGet('style') ?? ''))?.[1];
      if (align === undefined) continue;
      token.attrs = (token.attrs ?? []).filter(([name]) => name !== 'style');
      token.attrJoin('class', `align-${align}`);
    }
  });
  md.renderer.rules['table_open'] = () => '<div class="table"><table>';
  md.renderer.rules['table_close'] = () => '</table></div>';
  return md;
}
