/** What comes from outside as JSON: the errors of the API server, and what a rollout remembered. */

import { z } from 'zod';

const status = z.object({
  message: z.string().default(''),
  reason: z.string().default(''),
  details: z.object({ retryAfterSeconds: z.number().optional() }).optional(),
});

/** The API's own words about a failed call: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export type Status = z.infer<typeof status>;

/** The body of an error; empty words if it is none. */
export function parseStatus(body: unknown): Status {
  const parsed = status.safeParse(typeof body === 'string' ? json(body) : body);
  return parsed.data ?? { message: typeof body === 'string' ? body.slice(0, 300) : '', reason: '' };
}

const part = z.object({
  name: z.string(),
  /** Generation of the Deployment before. */
  generation: z.number().optional(),
  containers: z.array(z.object({ name: z.string(), init: z.boolean(), image: z.string(), before: z.string() })).min(1),
});

const handle = z.object({
  /** Stands in an annotation of what this rollout has changed, so that nothing is changed twice. */
  token: z.string(),
  context: z.string().optional(),
  namespace: z.string(),
  startedAt: z.iso.datetime(),
  parts: z.array(part).min(1),
  /** There if it is being undone: how that ends. */
  undoing: z.object({ outcome: z.enum(['failed', 'interrupted']), code: z.string(), text: z.string() }).optional(),
});

/** One Deployment of a rollout, with the images before and after. */
export type Part = z.infer<typeof part>;
/** What it takes to find a rollout again. */
export type Handle = z.infer<typeof handle>;

export function parseHandle(value: unknown): Handle | undefined {
  return handle.safeParse(value).data;
}

const failed = z.object({ code: z.number(), body: z.unknown(), headers: z.record(z.string(), z.string()).optional() });

/** The error of an API call that was answered, whichever copy of the vendor's class it is of. */
export function parseApiError(error: unknown): z.infer<typeof failed> | undefined {
  return failed.safeParse(error).data;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
