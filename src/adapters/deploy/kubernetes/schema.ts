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

const unwatched = z.object({ statusCode: z.number(), message: z.string().default('') });

/** A watch that the server did not accept, like the error of any other call. */
export function parseWatchError(error: unknown): { readonly code: number; readonly body: string } | undefined {
  const { data } = unwatched.safeParse(error);
  return data && { code: data.statusCode, body: data.message };
}

const ended = z.object({ code: z.number(), message: z.string().default('') });

/** The Status that a watch ends with: https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses */
export function parseWatchEnd(object: unknown): { readonly code: number; readonly body: unknown } | undefined {
  const { data } = ended.safeParse(object);
  return data && { code: data.code, body: data };
}

const place = z.object({
  name: z.string(),
  namespace: z.string().default(''),
  resourceVersion: z.string().default(''),
});
const containers = z.array(z.object({ name: z.string(), image: z.string().default('') }));
const requirement = z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).default([]) });
const seen = z.object({
  metadata: place.extend({ generation: z.number().default(0) }),
  spec: z.object({
    replicas: z.number().default(1),
    selector: z
      .object({
        matchLabels: z.record(z.string(), z.string()).default({}),
        matchExpressions: z.array(requirement).default([]),
      })
      .default({ matchLabels: {}, matchExpressions: [] }),
    template: z.object({ spec: z.object({ containers, initContainers: containers.default([]) }) }),
  }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      availableReplicas: z.number().default(0),
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().default(''),
            message: z.string().default(''),
            lastUpdateTime: z.coerce.date().default(new Date(0)),
          }),
        )
        .default([]),
    })
    .prefault({}),
});

/** What matters of a Deployment for what runs: about one kilobyte, where the whole is ten and more. */
export type Seen = z.infer<typeof seen>;

/** A Deployment as a list or a watch gives it, with moments as texts or as dates. */
export function parseSeen(object: unknown): Seen | undefined {
  return seen.safeParse(object).data;
}

const marked = z.object({ metadata: z.object({ resourceVersion: z.string() }) });

/** Up to where a watch has come. */
export function parseVersion(object: unknown): string | undefined {
  return marked.safeParse(object).data?.metadata.resourceVersion;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
