/** What targets on GitHub and GitLab have in common in the configuration. */

import { z } from 'zod';

/** Where a server is. A token goes there: anything but this machine is reached through TLS. */
export const serverUrl = z
  .string()
  .refine((text) => {
    const url = URL.parse(text);
    if (url === null || url.username !== '' || url.search !== '' || url.hash !== '') return false;
    return (
      url.protocol === 'https:' || (url.protocol === 'http:' && /^(?:127\.|localhost$|\[::1\]$)/.test(url.hostname))
    );
  }, 'an address like https://git.example.com is expected, without user, query and fragment')
  .transform((text) => text.replace(/\/+$/, ''));

/** A text in which values are filled in. */
export function filled(names: readonly string[]) {
  const allowed = names.map((name) => `{${name}}`);
  return z
    .string()
    .max(1_000)
    .refine(
      (text) => (text.match(/\{[a-z]+\}/g) ?? []).every((found) => allowed.includes(found)),
      `only ${allowed.join(', ')} are filled in`,
    );
}

export const versionsFrom = z
  .enum(['releases', 'tags', 'any'])
  .default('tags')
  .describe(
    'Which versions there are: the releases, the tags, or `any`: then any branch, tag or commit may be named, and one must be',
  );
