/** Text that Slack takes for text. https://docs.slack.dev/messaging/formatting-message-text#escaping */

import { lineOf } from './marks.ts';

/** `&<>` are the only characters that Slack lets one escape. */
export function escaped(text: string): string {
  return tellingNobody(text.replace(/[&<>]/g, entity));
}

/** What would tell everybody in the channel is taken apart. */
export function tellingNobody(text: string): string {
  return text.replace(/@(?=(?:channel|here|everyone|group)\b)/gi, '@\u2060');
}

/** Text as mrkdwn that shows just that text. */
export function escapeMrkdwn(text: string): string {
  return text
    .toWellFormed()
    .split('\n')
    .map((line) => lineOf([{ kind: 'text', text: line }], escaped))
    .join('\n');
}

/** Code within a line. */
export function codeOf(text: string): string {
  return `\`${text.replaceAll('`', '\u02cb').replace(/[&<>]/g, entity)}\``;
}

/** The content of a code block: nothing in it ends the block. */
export function fenced(text: string): string {
  return text.replace(/`{3,}/g, (run) => [...run].join('\u200b'));
}

function entity(sign: string): string {
  return { '&': '&amp;', '<': '&lt;', '>': '&gt;' }[sign] ?? sign;
}
