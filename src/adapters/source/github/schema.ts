/** What GitHub answers, parsed once. Only what is used is looked at. docs.github.com/rest/commits, /rest/checks */

import { z } from 'zod';
import { RestProblem } from '../../rest/problem.ts';

const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);

const commit = z.object({
  sha,
  commit: z.object({ message: z.string(), author: z.object({ name: z.string().nullish() }).nullish() }),
});

const comparison = z.object({
  html_url: z.string(),
  ahead_by: z.number().int().min(0),
  behind_by: z.number().int().min(0),
  total_commits: z.number().int().min(0),
  commits: z.array(commit),
});

const checkRun = z.object({
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
  html_url: z.string().nullish(),
});

const status = z.object({ context: z.string(), state: z.string(), target_url: z.string().nullish() });

export type HostCommit = z.infer<typeof commit>;
export type Compared = z.infer<typeof comparison>;
export type CheckRun = z.infer<typeof checkRun>;
export type CommitStatus = z.infer<typeof status>;

export const parseSha = reader(z.string().trim().pipe(sha));
export const parseCommits = reader(z.array(commit));
export const parseComparison = reader(comparison);
export const parseCheckRuns = reader(
  z.object({ total_count: z.number().int(), check_runs: z.array(checkRun) }).transform((page) => ({
    total: page.total_count,
    items: page.check_runs,
  })),
);
export const parseStatuses = reader(
  z.object({ total_count: z.number().int(), statuses: z.array(status) }).transform((page) => ({
    total: page.total_count,
    items: page.statuses,
  })),
);

function reader<T>(schema: z.ZodType<T>): (data: unknown) => T {
  return (data) => {
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new RestProblem(
      'unreadable',
      `GitHub answered something else than its API documents (${where === '' ? 'as a whole' : where}); check that the url in config/services.yaml is that of the API`,
    );
  };
}
