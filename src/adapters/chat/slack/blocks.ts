/**
 * What the robot posts as Slack shows it: Block Kit, within Slack's limits. Sources of the numbers:
 * https://docs.slack.dev/reference/block-kit (blocks, block elements, composition objects),
 * https://docs.slack.dev/reference/methods/chat.postMessage and https://docs.slack.dev/changelog/2018-truncating-really-long-messages.
 */

import type { KnownBlock, MrkdwnElement } from '@slack/types';
import { type Card, type Content, cardText, plain, type Tone } from '../../../bot/card.ts';
import { markdownText } from '../text/markdown-text.ts';
import { actionBlocks, choiceBlocks, type Ids, newIds } from './actions.ts';
import { escapeMrkdwn } from './escape.ts';
import { toMrkdwn } from './mrkdwn.ts';
import { beginning, firstLines, splitMrkdwn } from './split.ts';
import { context, LIMITS, mrkdwn, oneLine, plainText, section } from './text-objects.ts';

/**
 * Slack documents 40,000 characters for a message, but refuses blocks with far less in them (`msg_blocks_too_long`): between 11,000 and
 * 13,300, the containers counted. See https://github.com/slackapi/bolt-js/issues/2509 and /2867.
 */
const WHOLE = 10_000;
const PER_BLOCK = 100;
/** Of what does not fit so much is shown above its file. */
const BEGINNING = 1_500;
const BEGINNING_LINES = 30;
/** Markdown longer than that is not converted as a whole: it becomes a file anyway. */
const CONVERTED = 60_000;
const MAX_TAIL = 30;
const IN_FILE = 'This is the beginning. The whole is in the file below.';
const IN_DIRECT = 'This is the beginning. The whole is in our direct conversation.';
const BEGINNING_ONLY = 'This is only the beginning. Ask in a direct message to get all of it.';
const ALONE = { 'whole in direct': IN_DIRECT, 'beginning only': BEGINNING_ONLY };

/** A text that belongs to a message and is uploaded after it. */
export interface MessageFile {
  readonly name: string;
  readonly content: string;
}

export interface SlackMessage {
  /** What notifications and screen readers say. */
  readonly text: string;
  readonly blocks: KnownBlock[];
  readonly files?: readonly MessageFile[];
  /** A text of our own, to be read and uploaded (files.ts). */
  readonly document?: { readonly name: string; readonly path: string };
  /** A picture of our own, to be uploaded (files.ts). */
  readonly picture?: { readonly url: string; readonly alt: string };
  /** Who says it, if not the robot itself: for chat.postMessage, not for chat.update, which keeps it. */
  readonly author?:
    | { readonly username: string; readonly icon_emoji?: string; readonly icon_url?: never }
    | { readonly username: string; readonly icon_url: string; readonly icon_emoji?: never };
}

export interface RenderOptions {
  /** Whose people can be mentioned; `slack` unless given. */
  readonly chat?: string;
  /** What goes before a command that is typed, for example `@shipmate `. */
  readonly address?: string;
  /** For an ephemeral message, which has no files: where the whole of what is cut is to be had. */
  readonly ephemeral?: 'whole in direct' | 'beginning only';
}

/**
 * How a card's tone looks: an emoji before its title. Not the coloured bar of an attachment: attachments are legacy and may be
 * folded away (https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments), a colour alone says nothing to
 * those who cannot tell it from others, and an emoji is also read out and stands in the notification.
 */
const TONE: Readonly<Record<Tone, string>> = { neutral: '', progress: '⏳ ', good: '✅ ', warning: '⚠️ ', bad: '❌ ' };

/** A message for chat.postMessage and chat.update. */
export function toMessage(content: Content, options: RenderOptions = {}): SlackMessage {
  const ids = newIds();
  const parts = partsOf(content, options, ids);
  const { blocks, cut } = fitting(parts, options.ephemeral ? ALONE[options.ephemeral] : IN_FILE);
  const text = fallback(content);
  const message = {
    text,
    blocks: blocks.length > 0 ? blocks : [section('\u2060')],
    ...(cut && options.ephemeral === undefined && { files: [wholeOf(content, options)] }),
  };
  if (typeof content === 'string') return message;
  const own = content.image && isOwn(content.image.url) ? content.image : undefined;
  return {
    ...message,
    ...(content.file && options.ephemeral === undefined && { document: content.file }),
    ...(own && { picture: own }),
    ...(content.speaker?.name.trim() && { author: authorOf(content.speaker) }),
  };
}

function pictureText({ url, alt }: { readonly url: string; readonly alt: string }): string {
  if (!/^https?:\/\//i.test(url)) return plain(alt);
  return `[${plain(oneLine(alt) || url)}](<${url.replace(/[<>\\\s]/g, encodeURIComponent)}>)`;
}

/** Several contents under each other, for App Home: at most 100 blocks (https://docs.slack.dev/reference/views/home-tab-views). */
export function toHome(contents: readonly Content[], options: RenderOptions = {}): KnownBlock[] {
  const ids = newIds();
  const out: KnownBlock[] = [];
  for (const [index, content] of contents.entries()) {
    const { blocks } = fitting(partsOf(content, options, ids), BEGINNING_ONLY);
    if (out.length + blocks.length + 2 > LIMITS.viewBlocks) {
      out.push(context(`and ${contents.length - index} more`));
      break;
    }
    if (index > 0) out.push({ type: 'divider' });
    out.push(...blocks);
  }
  return out;
}

/** Markdown as sections, for a modal: at most `most` of them. */
export function toSections(markdown: string, most: number): KnownBlock[] {
  return splitMrkdwn(toMrkdwn(beginning(markdown, CONVERTED)), LIMITS.section)
    .slice(0, most)
    .map(section);
}

/** Pictures of our own are uploaded; those from elsewhere are only linked, so that looking at a card tells nobody. */
function isOwn(url: string): boolean {
  return /^(?:\/(?![/\\])|data:image\/)/i.test(url);
}

interface Parts {
  readonly head: readonly KnownBlock[];
  readonly text: readonly KnownBlock[];
  readonly fields: readonly KnownBlock[];
  readonly tail: readonly KnownBlock[];
  readonly foot: readonly KnownBlock[];
  /** Something is not in them already. */
  readonly cut: boolean;
}

function partsOf(content: Content, options: RenderOptions, ids: Ids): Parts {
  if (typeof content === 'string') {
    const text = sections(content, options);
    return { head: [], text, fields: [], tail: [], foot: [], cut: content.length > CONVERTED };
  }
  const title = oneLine(content.title);
  const header = beginning(TONE[content.tone] + title, LIMITS.header);
  const whole = header === TONE[content.tone] + title;
  const { image } = content;
  return {
    head: [
      ...(header.trim() === ''
        ? []
        : [{ type: 'header', text: plainText(header, LIMITS.header) } satisfies KnownBlock]),
      ...(whole ? [] : sections(`**${plain(title)}**`, options)),
    ],
    text: content.text ? sections(content.text, options) : [],
    fields: fieldBlocks(content, options),
    tail: [
      ...(image && (image.alt.trim() !== '' || /^https?:/i.test(image.url))
        ? [context(toMrkdwn(pictureText(image)))]
        : []),
      ...actionBlocks(content.actions ?? [], ids, options.address),
      ...choiceBlocks(content.choices ?? [], ids, options.address),
    ],
    foot: content.footer?.trim() ? [context(escapeMrkdwn(oneLine(content.footer)))] : [],
    cut: (content.text ?? '').length > CONVERTED,
  };
}

/** As much of it as fits into a message, with a note if that is not all. */
function fitting(parts: Parts, said: string): { blocks: KnownBlock[]; cut: boolean } {
  const all = [...parts.head, ...parts.text, ...parts.fields, ...parts.tail, ...parts.foot];
  const fits = (blocks: readonly KnownBlock[]) =>
    blocks.length <= LIMITS.blocks &&
    blocks.reduce((sum, block) => sum + PER_BLOCK + sizeOf(block), 0) <= LIMITS.message - LIMITS.text;
  const read = [...parts.head, ...parts.text, ...parts.fields, ...parts.foot];
  const short = read.reduce((sum, block) => sum + PER_BLOCK + sizeOf(block), 0) <= WHOLE;
  if (!parts.cut && short && fits(all)) return { blocks: all, cut: false };

  const note = context(said);
  const kept: KnownBlock[] = [...parts.head];
  let tail = parts.tail.slice(0, MAX_TAIL);
  while (tail.length > 0 && !fits([...kept, ...tail, note, ...parts.foot])) tail = tail.slice(0, -1);
  let room = BEGINNING + kept.reduce((sum, block) => sum + sizeOf(block), 0);
  for (const block of [...parts.text.slice(0, 1).map(beginningOf), ...parts.fields]) {
    room -= sizeOf(block);
    if (room < 0 || !fits([...kept, block, ...tail, note, ...parts.foot])) break;
    kept.push(block);
  }
  return { blocks: [...kept, ...tail, note, ...parts.foot].slice(0, LIMITS.blocks), cut: true };
}

function beginningOf(block: KnownBlock): KnownBlock {
  if (block.type !== 'section' || !block.text) return block;
  return section(firstLines(splitMrkdwn(block.text.text, BEGINNING)[0] ?? '', BEGINNING_LINES));
}

/** All characters in it that somebody reads or that are sent back. */
function sizeOf(block: KnownBlock): number {
  let size = 0;
  JSON.stringify(block, (key, value: unknown) => {
    if (typeof value === 'string' && /^(?:text|value)$/.test(key)) size += value.length;
    return value;
  });
  return size;
}

function sections(markdown: string, options: RenderOptions): KnownBlock[] {
  const texts = splitMrkdwn(toMrkdwn(beginning(markdown, CONVERTED), options.chat), LIMITS.section);
  return texts.length === 1 ? texts.map(section) : texts.map((text) => ({ type: 'section', text: mrkdwn(text) }));
}

/** Short fields stand in pairs; long ones, and those with lists or code in them, below each other. */
function fieldBlocks(card: Card, options: RenderOptions): KnownBlock[] {
  const out: KnownBlock[] = [];
  let pairs: MrkdwnElement[] = [];
  const flush = () => {
    if (pairs.length > 0) out.push({ type: 'section', fields: pairs });
    pairs = [];
  };
  for (const field of card.fields ?? []) {
    const title = oneLine(field.name);
    const name = title && toMrkdwn(`**${plain(title)}**`);
    const text = `${name}\n${toMrkdwn(beginning(field.value, CONVERTED), options.chat)}`.trim();
    if (text === '') continue;
    if (field.short === false || text.length > LIMITS.field) {
      flush();
      out.push(...splitMrkdwn(text, LIMITS.section).map(section));
      continue;
    }
    pairs.push(mrkdwn(text));
    if (pairs.length === LIMITS.fields) flush();
  }
  flush();
  return out;
}

/** Title and gist as text. */
function fallback(content: Content): string {
  const read = (markdown: string) => markdownText(beginning(markdown, LIMITS.text));
  const said =
    typeof content === 'string'
      ? read(content)
      : [
          TONE[content.tone] + oneLine(content.title),
          content.text ? read(content.text) : '',
          ...(content.fields ?? []).slice(0, 20).map((field) => `${oneLine(field.name)}: ${read(field.value)}`),
          content.image?.alt ?? '',
        ]
          .filter((part) => part.trim() !== '')
          .join('\n');
  return beginning(escapeMrkdwn(said), LIMITS.text) || '\u2060';
}

/** All of it as a text file. */
function wholeOf(content: Content, { address = '' }: RenderOptions): MessageFile {
  const title = typeof content === 'string' ? '' : content.title;
  const name = title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}.]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60);
  return {
    name: `${name || 'message'}.txt`,
    content: `${markdownText(cardText(content, address))}\n`.replaceAll('\u2060', ''),
  };
}

function authorOf({
  name,
  icon,
}: {
  readonly name: string;
  readonly icon?: string;
}): NonNullable<SlackMessage['author']> {
  const username = plainText(name, LIMITS.username).text;
  if (icon !== undefined && /^:[\w+'-]+:$/.test(icon)) return { username, icon_emoji: icon };
  if (icon !== undefined && /^https:\/\//i.test(icon)) return { username, icon_url: icon };
  return { username };
}
