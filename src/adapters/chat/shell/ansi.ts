/** Cards and Markdown for a terminal. */

import { type Action, type Card, type Content, pictureWords, type Tone } from '../../../bot/card.ts';
import { markdownText, PLAIN, type TextStyle } from '../text/markdown-text.ts';
import { visible } from './visible.ts';

const TONE: Record<Tone, { readonly mark: string; readonly colour: number }> = {
  neutral: { mark: '', colour: 39 },
  progress: { mark: '… ', colour: 36 },
  good: { mark: '✓ ', colour: 32 },
  warning: { mark: '! ', colour: 33 },
  bad: { mark: '✗ ', colour: 31 },
};

/** Of a choice so many options are named. */
const SHOWN_OPTIONS = 5;

function sgr(on: number, off: number): (text: string) => string {
  return (text) => `\u001B[${on}m${text}\u001B[${off}m`;
}

const bold = sgr(1, 22);
const dim = sgr(2, 22);
const cyan = sgr(36, 39);

const COLOURED: TextStyle = {
  strong: bold,
  emphasis: sgr(3, 23),
  code: cyan,
  struck: sgr(9, 29),
  link: (text, url) => (text === url ? sgr(4, 24)(url) : `${text} (${sgr(4, 24)(url)})`),
};

/** What a terminal shows for a message. Buttons are shown as the text to type. Without `colour` there is no escape sequence in it. */
export function terminalText(content: Content, colour: boolean): string {
  const style = colour ? COLOURED : PLAIN;
  const markdown = (text: string) => markdownText(visible(text), style);
  return typeof content === 'string' ? markdown(content) : cardLines(content, markdown, colour).join('\n');
}

function cardLines(card: Card, markdown: (text: string) => string, colour: boolean): string[] {
  const faint = (text: string) => (colour ? dim(text) : text);
  const { mark, colour: shade } = TONE[card.tone];
  const title = mark + oneLine(card.title);
  const speaker = card.speaker ? faint(`${oneLine(card.speaker.name)}: `) : '';
  const lines = [speaker + (colour ? bold(sgr(shade, 39)(title)) : title)];
  if (card.text) lines.push(markdown(card.text));
  for (const field of card.fields ?? []) {
    const value = markdown(field.value);
    lines.push(`${faint(`${oneLine(field.name)}:`)}${value.includes('\n') ? '\n' : ' '}${value}`);
  }
  if (card.image) lines.push(oneLine(pictureWords(card.image)));
  const typed = (action: Action) => {
    const command = oneLine(action.command);
    return `  ${oneLine(action.label)}: ${colour ? cyan(command) : command}`;
  };
  lines.push(...(card.actions ?? []).map(typed));
  for (const { label, options } of card.choices ?? []) {
    lines.push(faint(oneLine(label)), ...options.slice(0, SHOWN_OPTIONS).map(typed));
    if (options.length > SHOWN_OPTIONS) lines.push(faint(`  and ${options.length - SHOWN_OPTIONS} more`));
  }
  if (card.footer) lines.push(faint(oneLine(card.footer)));
  return lines;
}

function oneLine(text: string): string {
  return visible(text).replace(/\s*\n\s*/g, ' ');
}
