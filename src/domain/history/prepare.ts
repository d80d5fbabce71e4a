/** What is stored of a message: redacted, and with what finds it again. */

import type { Card } from '../../bot/card.ts';
import { redactCard } from '../privacy/content.ts';
import { redact } from '../privacy/redact.ts';
import { isUnsearched } from './answer.ts';
import { foldText, readable } from './fold.ts';
import { lexemes } from './lexemes.ts';
import type { PreparedMessage, PrepareMessage } from './ports.ts';

/** Of a longer message the rest is kept, but not found. */
const SEARCHED_LENGTH = 100_000;

/** Redacts text and card, and makes the message's entry in the index. Questions to the history, its answers and guides have none. */
export const prepareMessage: PrepareMessage = (message): PreparedMessage => {
  const content = message.content ? keptCard(message.content) : null;
  const text = clean(message.text) || (content ? cardWords(content) : '');
  if (isUnsearched(message)) return { text, content, searchText: '', lexemes: [] };
  const whole = content && message.text ? `${text}\n${cardWords(content)}` : text;
  const said = readable(whole.slice(0, SEARCHED_LENGTH).toWellFormed());
  return { text, content, searchText: foldText(said), lexemes: lexemes(said) };
};

/** Everything a card says, as text. */
export function cardWords(card: Card): string {
  return [
    card.speaker?.name,
    card.title,
    card.text,
    ...(card.fields ?? []).map((field) => `${field.name}: ${field.value}`),
    card.image?.alt,
    card.footer,
  ]
    .filter((part) => part)
    .join('\n');
}

/** That it is a guide is told by its entry in the index, and not kept. */
function keptCard(card: Card): Card {
  const { isGuide: _, ...kept } = redactCard(card, clean);
  return kept;
}

/** Redacted, and without what PostgreSQL cannot store: NUL and halves of characters. */
function clean(text: string): string {
  return redact(text.replaceAll('\0', '').toWellFormed());
}
