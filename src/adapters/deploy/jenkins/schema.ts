/**
 * What Jenkins answers, parsed once. The remote access API describes itself at `<address>/api/`;
 * https://www.jenkins.io/doc/book/using/remote-access-api/.
 */

import { z } from 'zod';

const actions = z
  .array(
    z
      .object({ parameters: z.array(z.object({ name: z.string(), value: z.unknown() })).optional() })
      .nullable()
      .catch(null),
  )
  .default([])
  .transform(
    (list) =>
      new Map(
        list.flatMap((action) => action?.parameters ?? []).map(({ name, value }) => [name, textOf(value)] as const),
      ),
  );

const item = z.object({
  id: z.int(),
  why: z.string().nullish(),
  stuck: z.boolean().default(false),
  cancelled: z.boolean().default(false),
  executable: z.object({ number: z.int() }).nullish(),
});

/** An item of the queue: it waits, was cancelled, or has become a build. */
export type Item = z.infer<typeof item>;

const build = z.object({
  number: z.int(),
  queueId: z.int().default(0),
  building: z.boolean().default(false),
  /** Null while it runs. */
  result: z.string().nullish(),
  /** Milliseconds since 1970. */
  timestamp: z.number().default(0),
  duration: z.number().default(0),
  estimatedDuration: z.number().default(-1),
  actions,
});

export type Build = z.infer<typeof build>;

const builds = z.object({ builds: z.array(build).default([]) });

const queue = z.object({
  items: z
    .array(z.object({ id: z.int(), task: z.object({ url: z.string().default('') }).default({ url: '' }), actions }))
    .default([]),
});

const job = z.object({
  nextBuildNumber: z.int(),
  property: z
    .array(
      z
        .object({
          parameterDefinitions: z
            .array(z.object({ name: z.string(), choices: z.array(z.string()).optional() }))
            .optional(),
        })
        .nullable()
        .catch(null),
    )
    .default([])
    .transform((list) => list.flatMap((property) => property?.parameterDefinitions ?? [])),
});

const crumb = z.object({ crumb: z.string().min(1), crumbRequestField: z.string().regex(/^[A-Za-z0-9-]+$/) });

const handle = z.object({
  kind: z.literal('jenkins'),
  /** The lowest number that its build can have. */
  from: z.int(),
  startedAt: z.number(),
  item: z.int().optional(),
  build: z.int().optional(),
  /** How much of the log was told. */
  told: z.int().default(0),
});

/** What is remembered of a rollout. */
export type Handle = z.infer<typeof handle>;

export const parseItem = (data: unknown): Item | undefined => item.safeParse(data).data;
export const parseBuild = (data: unknown): Build | undefined => build.safeParse(data).data;
export const parseBuilds = (data: unknown): readonly Build[] | undefined => builds.safeParse(data).data?.builds;
export const parseQueue = (data: unknown): z.infer<typeof queue>['items'] | undefined =>
  queue.safeParse(data).data?.items;
export const parseJob = (data: unknown): z.infer<typeof job> | undefined => job.safeParse(data).data;
export const parseCrumb = (data: unknown): z.infer<typeof crumb> | undefined => crumb.safeParse(data).data;
export const parseHandle = (data: unknown): Handle | undefined => handle.safeParse(data).data;

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
