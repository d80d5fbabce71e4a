/** Slack's text formats as HTML: mrkdwn (docs.slack.dev/messaging/formatting-message-text), plain text and rich text. */

import { list, record } from './method.ts';
import type { Workspace } from './workspace.ts';

/** For text and for attributes in double quotes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const emoji: Readonly<Record<string, string>> = {
  white_check_mark: '✅',
  heavy_check_mark: '✔️',
  x: '❌',
  warning: '⚠️',
  rotating_light: '🚨',
  rocket: '🚀',
  eyes: '👀',
  hourglass: '⌛',
  hourglass_flowing_sand: '⏳',
  fire: '🔥',
  bell: '🔔',
  no_bell: '🔕',
  lock: '🔒',
  mag: '🔍',
  book: '📖',
  robot_face: '🤖',
  ship: '🚢',
  '+1': '👍',
  '-1': '👎',
  thumbsup: '👍',
  thumbsdown: '👎',
  tada: '🎉',
  large_green_circle: '🟢',
  large_yellow_circle: '🟡',
  red_circle: '🔴',
  information_source: 'ℹ️',
  speech_balloon: '💬',
  memo: '📝',
  wave: '👋',
};

/** A name without colons as the sign itself, or the name in colons if it is not known here. */
export function emojiSign(name: string): string {
  return emoji[name] ?? `:${name}:`;
}

function withEmoji(text: string): string {
  return text.replace(/:([a-z0-9_+-]+):/g, (all, name: string) => emoji[name] ?? all);
}

function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function plainHtml(text: string): string {
  return escapeHtml(withEmoji(unescaped(text))).replaceAll('\n', '<br>');
}

/** Only addresses that a chat would open. */
export function link(url: string, label: string): string {
  const safe = /^(https?:|mailto:)/i.test(url);
  return safe ? `<a href="${escapeHtml(url)}">${label}</a>` : label;
}

function mention(label: string): string {
  return `<span class="mention">${escapeHtml(label)}</span>`;
}

/** What stands between `<` and `>`. */
function reference(workspace: Workspace, inside: string): string {
  const [target = '', label] = inside.split(/\|(.*)/s);
  if (target.startsWith('@'))
    return mention(`@${workspace.people.get(target.slice(1))?.displayName ?? label ?? target.slice(1)}`);
  if (target.startsWith('#'))
    return mention(`#${workspace.channels.get(target.slice(1))?.name ?? label ?? target.slice(1)}`);
  const group = /^!subteam\^(\w+)/.exec(target)?.[1];
  if (group !== undefined) return mention(`@${workspace.groups.get(group)?.handle ?? label ?? group}`);
  if (target.startsWith('!date^')) return escapeHtml(unescaped(label ?? target));
  if (target.startsWith('!')) return mention(`@${target.slice(1)}`);
  return link(unescaped(target), plainHtml(label ?? target.replace(/^mailto:/, '')));
}

const pieces =
  /```([\s\S]+?)```|`([^`\n]+)`|<([^<>\n]+)>|(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])/g;

function inline(workspace: Workspace, text: string): string {
  let html = '';
  let at = 0;
  for (const match of text.matchAll(pieces)) {
    html += plainHtml(text.slice(at, match.index));
    at = match.index + match[0].length;
    const [, block, code, angle, bold, italic, strike] = match;
    if (block !== undefined) html += `<pre>${escapeHtml(unescaped(block).replace(/^\n|\n$/g, ''))}</pre>`;
    else if (code !== undefined) html += `<code>${escapeHtml(unescaped(code))}</code>`;
    else if (angle !== undefined) html += reference(workspace, angle);
    else if (bold !== undefined) html += `<b>${inline(workspace, bold)}</b>`;
    else if (italic !== undefined) html += `<i>${inline(workspace, italic)}</i>`;
    else if (strike !== undefined) html += `<s>${inline(workspace, strike)}</s>`;
  }
  return html + plainHtml(text.slice(at));
}

/** mrkdwn as HTML. */
export function mrkdwnHtml(workspace: Workspace, text: string): string {
  const parts = text.split(/(```[\s\S]+?```)/);
  return parts
    .map((part) => {
      if (part.startsWith('```')) return inline(workspace, part);
      return part
        .split(/((?:^(?:&gt;|>).*(?:\n|$))+)/m)
        .map((piece) =>
          /^(?:&gt;|>)/.test(piece)
            ? `<blockquote>${inline(workspace, piece.replace(/^(?:&gt;|>) ?/gm, '').replace(/\n$/, ''))}</blockquote>`
            : inline(workspace, piece),
        )
        .join('');
    })
    .join('')
    .replace(/<br>(?=<(?:pre|blockquote))|(?<=<\/(?:pre|blockquote)>)<br>/g, '');
}

/** A text object: plain_text or mrkdwn. */
export function textHtml(workspace: Workspace, value: unknown): string {
  const object = record(value);
  const text = object?.['text'];
  if (typeof text !== 'string') return '';
  return object?.['type'] === 'mrkdwn' ? mrkdwnHtml(workspace, text) : plainHtml(text);
}

/** An element of a rich text block, and what is in it. */
export function richTextHtml(workspace: Workspace, value: unknown): string {
  const element = record(value) ?? {};
  const inside = () =>
    list(element['elements'])
      .map((one) => richTextHtml(workspace, one))
      .join('');
  const text = typeof element['text'] === 'string' ? element['text'] : '';
  switch (element['type']) {
    case 'rich_text_section':
      return inside();
    case 'rich_text_preformatted':
      return `<pre>${inside()}</pre>`;
    case 'rich_text_quote':
      return `<blockquote>${inside()}</blockquote>`;
    case 'rich_text_list': {
      const tag = element['style'] === 'ordered' ? 'ol' : 'ul';
      const items = list(element['elements']).map((one) => `<li>${richTextHtml(workspace, one)}</li>`);
      return `<${tag}>${items.join('')}</${tag}>`;
    }
    case 'text':
      return styled(escapeHtml(text).replaceAll('\n', '<br>'), record(element['style']) ?? {});
    case 'link':
      return typeof element['url'] === 'string' ? link(element['url'], escapeHtml(text || element['url'])) : '';
    case 'user':
      return reference(workspace, `@${String(element['user_id'])}`);
    case 'channel':
      return reference(workspace, `#${String(element['channel_id'])}`);
    case 'usergroup':
      return reference(workspace, `!subteam^${String(element['usergroup_id'])}`);
    case 'broadcast':
      return mention(`@${String(element['range'])}`);
    case 'emoji':
      return escapeHtml(emojiSign(String(element['name'])));
    default:
      return escapeHtml(text);
  }
}

function styled(html: string, style: Readonly<Record<string, unknown>>): string {
  const bold = style['bold'] === true ? `<b>${html}</b>` : html;
  const italic = style['italic'] === true ? `<i>${bold}</i>` : bold;
  const strike = style['strike'] === true ? `<s>${italic}</s>` : italic;
  return style['code'] === true ? `<code>${strike}</code>` : strike;
}
