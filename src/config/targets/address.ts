/** Addresses of outside systems, and texts with places that are filled in. */

import { z } from 'zod';

/** Where a system is: http or https, without user, query or fragment. The slash at its end is left out. */
export const address = z
  .string()
  .refine((text) => isAddress(text) && !/[?#]/.test(text), 'an address like https://host/path is expected')
  .transform((text) => text.replace(/\/+$/, ''));

/** A text in which only these words may stand in braces. */
export function placeholders(known: readonly string[]) {
  return z.string().refine((text) => unknownIn(text, known) === undefined, {
    error: (issue) =>
      `there is no ${unknownIn(String(issue.input), known)}; allowed: ${known.map((name) => `{${name}}`).join(', ')}`,
  });
}

/** An address with such places. They stand behind the host: where a request goes is for the configuration to say. */
export function addressWith(known: readonly string[]) {
  return placeholders(known).refine(
    (text) => isAddress(text) && !/^[^/]*\/\/[^/?#]*[{}]/.test(text) && !text.includes('#'),
    'an address like https://host/path is expected, with {…} only behind the host',
  );
}

function isAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function unknownIn(text: string, known: readonly string[]): string | undefined {
  return [...text.matchAll(/\{([^{}]*)\}/g)].find(([, name = '']) => !known.includes(name))?.[0];
}
