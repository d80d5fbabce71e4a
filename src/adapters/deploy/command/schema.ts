/** What the programs of a service print, parsed once. */

import { z } from 'zod';

const version = z.string().min(1).max(200);

const current = z.object({ version: version.optional(), since: z.iso.datetime({ offset: true }).optional() });

const versions = z.array(z.union([version, z.object({ version, prerelease: z.boolean().default(false) })])).max(10_000);

const report = z.union([
  z.object({ kind: z.literal('exit'), code: z.number().int() }),
  z.object({ kind: z.literal('signal'), signal: z.string() }),
  z.object({ kind: z.literal('error'), code: z.string() }),
]);

/** How the program ended, as the guard reports it. */
export type Report = z.infer<typeof report>;

/** `{"version": "v1", "since": "…"}`, or `{}` if nothing is live. Undefined if it is something else. */
export function parseCurrent(text: string): { version?: string; since?: Date } | undefined {
  const parsed = current.safeParse(json(text));
  if (!parsed.success) return undefined;
  const { version: live, since } = parsed.data;
  return {
    ...(live === undefined ? {} : { version: live }),
    ...(since === undefined ? {} : { since: new Date(since) }),
  };
}

/** A JSON list, or one version a line; newest first. Pre-releases come last, so that none is the default. */
export function parseVersions(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith('[')) {
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && line.length <= 200);
  }
  const parsed = versions.safeParse(json(text));
  if (!parsed.success) return undefined;
  const all = parsed.data.map((one) => (typeof one === 'string' ? { version: one, prerelease: false } : one));
  return [...all.filter((one) => !one.prerelease), ...all.filter((one) => one.prerelease)].map((one) => one.version);
}

export function parseReport(text: string): Report | undefined {
  return report.safeParse(json(text)).data;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
