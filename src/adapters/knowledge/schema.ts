/** Front matter of a runbook, as people write it. */

import { parse } from 'yaml';
import { z } from 'zod';
import type { FrontMatter } from '../../domain/ask/chunk.ts';

/** `alerts: KubePodCrashLooping`, `alerts: A, B` and a list are all fine; anything else in its place is ignored. */
const names = z
  .union([
    z.string().transform((text) => text.split(',')),
    z.array(z.union([z.string(), z.number()]).transform(String)),
  ])
  .transform((list) => list.map((name) => name.trim()).filter((name) => name !== ''))
  .catch([]);

const frontMatter = z.object({
  title: z.union([z.string(), z.number()]).transform(String).optional().catch(undefined),
  alerts: names.optional(),
  alert: names.optional(),
  services: names.optional(),
  service: names.optional(),
  owners: names.optional(),
  owner: names.optional(),
});

/** Reads front matter; undefined if it is not YAML of keys and values. */
export function parseFrontMatter(yaml: string): FrontMatter | undefined {
  if (yaml.trim() === '') return { alerts: [], services: [], owners: [] };
  let value: unknown;
  try {
    value = parse(yaml, { maxAliasCount: 20 });
  } catch {
    return undefined;
  }
  const parsed = frontMatter.safeParse(value ?? {});
  if (!parsed.success) return undefined;
  const { title, alerts = [], alert = [], services = [], service = [], owners = [], owner = [] } = parsed.data;
  return {
    ...(title ? { title: title.trim() } : {}),
    alerts: [...alerts, ...alert],
    services: [...services, ...service],
    owners: [...owners, ...owner],
  };
}
