/** What Argo CD answers, parsed once. Its API describes itself at `/swagger-ui`; https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/. */

import { z } from 'zod';

const text = z.string().default('');

const source = z.object({
  repoURL: text,
  targetRevision: text,
  helm: z.object({ parameters: z.array(z.object({ name: text, value: text })).nullish() }).nullish(),
  kustomize: z.object({ images: z.array(z.string()).nullish() }).nullish(),
});

/** Where the manifests of an application come from. */
export type Source = z.infer<typeof source>;

const sources = z.object({ source: source.nullish(), sources: z.array(source).nullish() });

const info = z.array(z.object({ name: text, value: text })).nullish();

const health = z.object({ status: text, message: text }).nullish();

const resource = z.object({ group: text, kind: text, namespace: text, name: text, status: text, health });

const syncResource = z.object({
  kind: text,
  name: text,
  status: text,
  hookPhase: text,
  message: text,
});

const operationState = z.object({
  phase: text,
  message: text,
  startedAt: text,
  finishedAt: z.string().nullish(),
  operation: z.object({ info }).nullish(),
  syncResult: z.object({ resources: z.array(syncResource).nullish(), revision: text }).nullish(),
});

const application = z.object({
  spec: sources,
  /** Asked for, and not taken up by the controller yet. */
  operation: z.object({ info }).nullish(),
  status: z
    .object({
      sync: z.object({ status: text, revision: text, comparedTo: sources.nullish() }).nullish(),
      health,
      operationState: operationState.nullish(),
      resources: z.array(resource).nullish(),
      conditions: z.array(z.object({ type: text, message: text })).nullish(),
      /** When the controller last looked. */
      reconciledAt: text,
      history: z.array(sources.extend({ deployedAt: text })).nullish(),
    })
    .prefault({}),
});

export type Application = z.infer<typeof application>;
export type OperationState = z.infer<typeof operationState>;

const node = z.object({
  kind: text,
  namespace: text,
  name: text,
  health,
  createdAt: text,
});

const tree = z.object({ nodes: z.array(node).nullish() });

const logLine = z.object({ result: z.object({ content: text }) });

const handle = z.object({
  kind: z.literal('argocd'),
  startedAt: z.number(),
  /** The sync was asked for, or is about to be. */
  asked: z.boolean().default(false),
  /** What the application named before. */
  previous: z.string().optional(),
});

/** What is remembered of a rollout. */
export type Handle = z.infer<typeof handle>;

export const parseApplication = (data: unknown): Application | undefined => application.safeParse(data).data;
export const parseTree = (data: unknown): readonly z.infer<typeof node>[] | undefined => {
  const parsed = tree.safeParse(data);
  return parsed.success ? (parsed.data.nodes ?? []) : undefined;
};
export const parseHandle = (data: unknown): Handle | undefined => handle.safeParse(data).data;

/** One line of a log: `{"result":{"content":"…"}}`; undefined for something else. */
export function parseLogLine(line: string): string | undefined {
  try {
    const data: unknown = JSON.parse(line);
    return logLine.safeParse(data).data?.result.content;
  } catch {
    return undefined;
  }
}
