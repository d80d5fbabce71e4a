/** What the program behind a webhook answers, parsed once. The format is ours: docs/guide/targets/webhook.md. */

import { z } from 'zod';

const version = z.string().min(1).max(200);

const id = z.union([z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/), z.int().nonnegative().transform(String)]);

const accepted = z.object({ id: id.optional() });

const status = z.object({
  state: z.enum(['pending', 'running', 'succeeded', 'failed', 'cancelled']),
  step: z.string().max(2_000).optional(),
  percent: z.number().min(0).max(100).optional(),
  reason: z.string().max(2_000).optional(),
});

export type Status = z.infer<typeof status>;

const current = z.object({ version: version.optional(), since: z.iso.datetime({ offset: true }).optional() });

const versions = z.array(version).max(10_000);

const handle = z.object({
  kind: z.literal('webhook'),
  startedAt: z.number(),
  id: z.string().optional(),
  /** Whether an answer said that it was taken. */
  taken: z.boolean().default(false),
  /** How much of the log was told, in bytes. */
  told: z.int().default(0),
});

/** What is remembered of a rollout. */
export type Handle = z.infer<typeof handle>;

/** The id that an answer gives, if it does. */
export const parseAccepted = (data: unknown): string | undefined => accepted.safeParse(data).data?.id;
export const parseStatus = (data: unknown): Status | undefined => status.safeParse(data).data;
export const parseVersions = (data: unknown): readonly string[] | undefined => versions.safeParse(data).data;
export const parseHandle = (data: unknown): Handle | undefined => handle.safeParse(data).data;

export function parseCurrent(data: unknown): { version?: string; since?: Date } | undefined {
  const parsed = current.safeParse(data);
  if (!parsed.success) return undefined;
  const { version: live, since } = parsed.data;
  return {
    ...(live === undefined ? {} : { version: live }),
    ...(since === undefined ? {} : { since: new Date(since) }),
  };
}
