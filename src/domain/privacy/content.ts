/** Secrets in what is posted. */

import type { Content } from '../../bot/card.ts';
import { redact } from './redact.ts';

/** The same content with every secret in its texts replaced. Titles, labels and commands are the robot's own words. */
export function redactContent(content: Content): Content {
  if (typeof content === 'string') return redact(content);
  const { text, fields, ...rest } = content;
  return {
    ...rest,
    ...(text === undefined ? {} : { text: redact(text) }),
    ...(fields === undefined ? {} : { fields: fields.map((field) => ({ ...field, value: redact(field.value) })) }),
  };
}
