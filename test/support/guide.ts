/** What stands in the guides of targets, for tests that do what they say. */

import { readFileSync } from 'node:fs';

/** The blocks of code in that language, in their order. */
export function blocksIn(page: string, language: string): readonly string[] {
  const text = readFileSync(new URL(`../../docs/guide/targets/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```(?<language>\w+)\n(?<code>.*?)^```$/gms)]
    .filter(({ groups }) => groups?.['language'] === language)
    .map(({ groups }) => groups?.['code'] ?? '');
}

/** The blocks that are a config/services.yaml; with environments where the page leaves them out. */
export function configurationsIn(page: string): readonly string[] {
  return blocksIn(page, 'yaml')
    .filter((code) => /^services:/m.test(code))
    .map((code) => (/^environments:/m.test(code) ? code : `environments:\n  staging:\n  production:\n\n${code}`));
}
