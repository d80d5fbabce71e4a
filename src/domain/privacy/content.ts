/** Secrets in what is posted and kept. */

import type { Action, Card, Content, Field } from '../../bot/card.ts';
import { redact } from './redact.ts';

/** The same content with every secret in its texts replaced: names and versions that people typed stand in titles and commands, too. */
export function redactContent(content: Content): Content {
  return typeof content === 'string' ? redact(content) : redactCard(content);
}

/**
 * The same card with every text in it cleaned.
 *
 * @param clean takes at least the secrets out of a text
 */
export function redactCard(card: Card, clean: (text: string) => string = redact): Card {
  const { title, text, fields, actions, choices, image, footer, speaker, ...rest } = card;
  return {
    ...rest,
    title: clean(title),
    ...(text === undefined ? {} : { text: clean(text) }),
    ...(fields === undefined ? {} : { fields: fields.map((field) => redactField(field, clean)) }),
    ...(actions === undefined ? {} : { actions: redactActions(actions, clean) }),
    ...(choices === undefined
      ? {}
      : {
          choices: choices.map(({ label, options }) => ({
            label: clean(label),
            options: redactActions(options, clean),
          })),
        }),
    ...(image === undefined ? {} : { image: { url: clean(image.url), alt: clean(image.alt) } }),
    ...(footer === undefined ? {} : { footer: clean(footer) }),
    ...(speaker === undefined
      ? {}
      : {
          speaker: {
            name: clean(speaker.name),
            ...(speaker.icon === undefined ? {} : { icon: clean(speaker.icon) }),
          },
        }),
  };
}

function redactActions(actions: readonly Action[], clean: (text: string) => string): Action[] {
  return actions.map((action) => ({ ...action, label: clean(action.label), command: clean(action.command) }));
}

/** A field's name tells what its value is, as `password: …` does in text. */
function redactField(field: Field, clean: (text: string) => string): Field {
  const name = clean(field.name);
  const value = clean(field.value);
  const lead = `${name}: `;
  const together = clean(lead + value);
  return { ...field, name, value: together.startsWith(lead) ? together.slice(lead.length) : value };
}
