/** What the robot shows. A domain writes a card once; each chat adapter renders it in its own best form. */

import type { Person } from './chat.ts';

export type Tone = 'neutral' | 'progress' | 'good' | 'warning' | 'bad';

/** A button. Pressing it runs `command` as the person who pressed it, exactly as if they had typed it. */
export interface Action {
  readonly label: string;
  /** Command text without the robot's name, for example `alerts ack 12`. */
  readonly command: string;
  readonly style?: 'primary' | 'danger';
}

/** One of many, shown as a select. Choosing an option runs its command exactly as a button does. */
export interface Choice {
  /** What is chosen, for example `Acknowledge…`. */
  readonly label: string;
  readonly options: readonly Action[];
}

export interface Field {
  readonly name: string;
  /** Markdown. */
  readonly value: string;
  /** Narrow enough to stand beside another field; true unless said otherwise. */
  readonly short?: boolean;
}

export interface Card {
  readonly kind: 'card';
  /** Plain text, shown as the heading. */
  readonly title: string;
  readonly tone: Tone;
  /** Markdown. Text from outside goes through `plain()` first. */
  readonly text?: string;
  readonly fields?: readonly Field[];
  readonly actions?: readonly Action[];
  readonly choices?: readonly Choice[];
  /** A picture and the text that says the same to those who cannot see it. */
  readonly image?: { readonly url: string; readonly alt: string };
  /**
   * A text of our own that is too long for a message, by its path on the robot's own server: a link in the web chat, a file in
   * Slack. The card says in words where else to find it.
   */
  readonly file?: { readonly name: string; readonly path: string };
  /** Plain text. */
  readonly footer?: string;
  /** It only tells what can be typed, as a greeting or help does: a search of the history does not find it. */
  readonly isGuide?: boolean;
  /**
   * A role that says it, for example Security: under its own name and picture where the chat allows that. The icon is an
   * emoji such as `:shield:`, or an https address.
   */
  readonly speaker?: { readonly name: string; readonly icon?: string };
}

/** What can be posted: Markdown, or a card. */
export type Content = string | Card;

/** Makes a card; `tone` is neutral unless said otherwise. */
export function card(init: Omit<Card, 'kind' | 'tone'> & { readonly tone?: Tone }): Card {
  return { tone: 'neutral', ...init, kind: 'card' };
}

const TONE_MARK: Record<Tone, string> = {
  neutral: '',
  progress: '… ',
  good: '✓ ',
  warning: '! ',
  bad: '✗ ',
};

/** So many options of a choice are named where there is only text. */
const TYPED_OPTIONS = 5;

/**
 * A card as Markdown for chats that show only text. Buttons and choices become the commands to type, mentions are names.
 *
 * @param address how a person addresses the robot in that chat, for example `shipmate `; empty where every line is for it
 */
export function cardText(content: Content, address: string): string {
  if (typeof content === 'string') return namesOnly(content);
  const speaker = content.speaker ? `${plain(content.speaker.name)}: ` : '';
  const lines = [`${speaker}${TONE_MARK[content.tone]}**${plain(content.title)}**`];
  if (content.text) lines.push(namesOnly(content.text));
  for (const field of content.fields ?? []) lines.push(`${plain(field.name)}: ${namesOnly(field.value)}`);
  if (content.image) lines.push(pictureWords({ ...content.image, alt: plain(content.image.alt) }));
  const typed = (action: Action) => `${plain(action.label)}: \`${address}${action.command}\``;
  lines.push(...(content.actions ?? []).map(typed));
  for (const { label, options } of content.choices ?? []) {
    lines.push(plain(label), ...options.slice(0, TYPED_OPTIONS).map(typed));
    if (options.length > TYPED_OPTIONS) lines.push(`and ${options.length - TYPED_OPTIONS} more`);
  }
  if (content.footer) lines.push(plain(content.footer));
  return lines.join('\n');
}

/** What stands for a picture in text: what it shows and where it is, unless the address is the picture itself. */
export function pictureWords({ url, alt }: { readonly url: string; readonly alt: string }): string {
  return url.startsWith('data:') ? alt : `${alt}: ${url}`;
}

const PERSON_LINK = 'person:';
/** What {@link mention} makes. */
const MENTION = /(?<!\\)\[(@(?:\\.|[^[\]\\])*)\]\(person:[^()\s]+\)/g;

/**
 * Markdown that mentions this person on purpose: the person is told of it where the chat can do that, everywhere else it is
 * just the name. A link such as `[@alice](person:slack:U012AB3CD)`; nothing else may make a mention.
 */
export function mention(person: Pick<Person, 'id' | 'name'>): string {
  // One colon only: of more, markdown-it takes what is between them for a port.
  const id = encodeURIComponent(person.id.toWellFormed())
    .replace('%3A', ':')
    .replace(/[()*!'~_]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `[@${plain(person.name.replace(/\s+/g, ' ').replace(/^ ?@?/, '').trim())}](${PERSON_LINK}${id})`;
}

/** The id of the person whom a link of {@link mention} is about; undefined for every other address. */
export function mentioned(url: string): string | undefined {
  if (!url.startsWith(PERSON_LINK)) return undefined;
  try {
    return decodeURIComponent(url.slice(PERSON_LINK.length)) || undefined;
  } catch {
    return undefined;
  }
}

/** Markdown with mentions as the names that they show. */
export function namesOnly(markdown: string): string {
  return markdown.replace(MENTION, '$1');
}

/**
 * Text from outside (alert labels, logs, commit messages, names, model output) as Markdown that shows just that text:
 * no emphasis, link, image or heading comes of it, no address in it becomes clickable, and nobody is mentioned by it.
 */
export function plain(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[\\`*_{}[\]()#+!|~<>&:-]/g, '\\$&')
    .replace(/^([ \t]*\d{1,9})([.)])/gm, '$1\\$2')
    .replace(/^([ \t]*)=/gm, '$1\\=')
    .replace(/^(?: {4}|[ \t]*\t)[ \t]*/gm, (indent) => indent.replaceAll('\t', '    ').replaceAll(' ', '\u00a0'))
    .replace(/@/g, '@\u2060');
}

/** A moment as people read it, in UTC: `2026-11-20 07:39 UTC`. */
export function moment(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Text from outside as Markdown code within a line, whatever backticks and line ends it contains. */
export function codeSpan(text: string): string {
  return `\`${text.replaceAll('`', "'").replace(/\s+/g, ' ').trim() || ' '}\``;
}

/** Text from outside as a Markdown code block, whatever backticks it contains. */
export function codeBlock(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text.replace(/\n$/, '')}\n${fence}`;
}
