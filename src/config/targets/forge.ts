/** What targets on GitHub and GitLab have in common in the configuration. */

import { z } from 'zod';
import { address } from './address.ts';

/** Where a server is. A token goes there: anything but this machine is reached through TLS. */
export const serverUrl = address.refine((text) => {
  const url = URL.parse(text);
  return url?.protocol === 'https:' || /^(?:127\.|localhost$|\[::1\]$)/.test(url?.hostname ?? '');
}, 'an address that begins with https:// is expected');

export const versionsFrom = z
  .enum(['releases', 'tags', 'any'])
  .default('tags')
  .describe(
    'Which versions there are: the releases, the tags, or `any`: then any branch, tag or commit may be named, and one must be',
  );
