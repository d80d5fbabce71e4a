/** Secrets in what is posted. */

import type { Action, Content, Field } from '../../bot/card.ts';
import { redact } from './redact.ts';

/** The same content with every secret in its texts replaced: names and versions that people typed stand in titles and commands, too. */
export function redactContent(content: Content): Content {
  if (typeof content === 'string') return redact(content);
  const { title, text, fields, actions, image, footer, ...rest } = content;
  return {
    ...rest,
    title: redact(title),
    ...(text === undefined ? {} : { text: redact(text) }),
    ...(fields === undefined ? {} : { fields: fields.map(redactField) }),
    ...(actions === undefined ? {} : { actions: actions.map(redactAction) }),
    ...(image === undefined ? {} : { image: { url: redact(image.url), alt: redact(image.alt) } }),
    ...(footer === undefined ? {} : { footer: redact(footer) }),
  };
}

/** A field's name tells what its value is, as `password: …` does in text. */
function redactField(field: Field): Field {
  const lead = `${field.name}: `;
  const together = redact(lead + field.value);
  return { ...field, value: together.startsWith(lead) ? together.slice(lead.length) : redact(field.value) };
}

function redactAction(action: Action): Action {
  return { ...action, label: redact(action.label), command: redact(action.command) };
}
