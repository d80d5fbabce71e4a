/** What is stored of a message: redacted, and with what finds it again. */

import { redact } from '../privacy/redact.ts';
import { isUnsearched } from './answer.ts';
import { foldText, readable } from './fold.ts';
import { lexemes } from './lexemes.ts';
import type { PreparedMessage, PrepareMessage, StoredCard } from './ports.ts';

/** Of a longer message the rest is kept, but not found. */
const SEARCHED_LENGTH = 100_000;

/** Redacts text and card, and makes the message's entry in the index. Questions to the history, its answers and guides have none. */
export const prepareMessage: PrepareMessage = (message): PreparedMessage => {
  const content = message.content ? redactCard(message.content) : null;
  const text = clean(message.text) || (content ? cardWords(content) : '');
  if (isUnsearched(message)) return { text, content, searchText: '', lexemes: [] };
  const whole = content && message.text ? `${text}\n${cardWords(content)}` : text;
  const said = readable(whole.slice(0, SEARCHED_LENGTH).toWellFormed());
  return { text, content, searchText: foldText(said), lexemes: lexemes(said) };
};

/** Everything a card says, as text. */
export function cardWords(card: StoredCard): string {
  return [
    card.title,
    card.text,
    ...(card.fields ?? []).map((field) => `${field.name}: ${field.value}`),
    card.image?.alt,
    card.footer,
  ]
    .filter((part) => part)
    .join('\n');
}

function redactCard(card: StoredCard): StoredCard {
  return {
    kind: 'card',
    title: clean(card.title),
    tone: card.tone,
    ...(card.text !== undefined && { text: clean(card.text) }),
    ...(card.fields && {
      fields: card.fields.map((field) => ({ ...field, name: clean(field.name), value: redactField(field) })),
    }),
    ...(card.actions && {
      actions: card.actions.map((action) => ({
        ...action,
        label: clean(action.label),
        command: clean(action.command),
      })),
    }),
    ...(card.image && { image: { url: clean(card.image.url), alt: clean(card.image.alt) } }),
    ...(card.footer !== undefined && { footer: clean(card.footer) }),
  };
}

/** A field's name tells what its value is, as `password: …` does in text. */
function redactField(field: { readonly name: string; readonly value: string }): string {
  const lead = `${clean(field.name)}: `;
  const together = redact(lead + clean(field.value));
  return together.startsWith(lead) ? together.slice(lead.length) : clean(field.value);
}

/** Redacted, and without what PostgreSQL cannot store: NUL and halves of characters. */
function clean(text: string): string {
  return redact(text.replaceAll('\0', '').toWellFormed());
}
