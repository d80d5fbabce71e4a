/** Text in Block Kit, and how much of it Slack takes. https://docs.slack.dev/reference/block-kit/composition-objects/text-object */

import type { KnownBlock, MrkdwnElement, PlainTextElement } from '@slack/types';
import { tellingNobody } from './escape.ts';
import { beginning, splitMrkdwn } from './split.ts';

/** Slack's limits, in characters and pieces. */
export const LIMITS = {
  blocks: 50,
  viewBlocks: 100,
  header: 150,
  section: 3_000,
  fields: 10,
  field: 2_000,
  button: 75,
  buttonValue: 2_000,
  option: 75,
  optionValue: 150,
  options: 100,
  overflow: 5,
  elements: 25,
  placeholder: 150,
  context: 2_000,
  /** Of the text that stands for the blocks in notifications and screen readers: more is advised against. */
  text: 4_000,
  username: 80,
  message: 40_000,
} as const;

/** Shown unfolded: only what is longer than one section is left to Slack to fold, so that it does not fill the channel. */
export function section(text: string): KnownBlock {
  return { type: 'section', text: mrkdwn(text), expand: true };
}

/** Small grey text: below a message, or about it. */
export function context(text: string): KnownBlock {
  return { type: 'context', elements: [mrkdwn(splitMrkdwn(text, LIMITS.context)[0] ?? '\u2060')] };
}

/** Slack makes no links and mentions of its own out of it. */
export function mrkdwn(text: string): MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true };
}

/** Slack parses nothing in it but emoji; what would be a mention elsewhere is taken apart all the same. */
export function plainText(text: string, limit: number): PlainTextElement {
  const safe = tellingNobody(oneLine(text.toWellFormed()).replace(/<(?=[@#!])/g, '<\u2060'));
  return { type: 'plain_text', text: beginning(safe, limit) || '\u2060', emoji: true };
}

/** With single spaces for all white space. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
