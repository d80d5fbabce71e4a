/** What GitLab answers, parsed once. Only what is used is looked at. docs.gitlab.com/api/commits */

import { z } from 'zod';
import { RestProblem } from '../../rest/problem.ts';

const id = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);

const commit = z.object({ id, title: z.string().default(''), author_name: z.string().nullish() });

const status = z.object({
  name: z.string(),
  status: z.string(),
  allow_failure: z.boolean().default(false),
  target_url: z.string().nullish(),
});

export type HostCommit = z.infer<typeof commit>;
export type CommitStatus = z.infer<typeof status>;

export const parseCommit = reader(commit);
export const parseCommits = reader(z.array(commit));
/** Of a tag or branch. */
export const parseReference = reader(z.object({ commit: z.object({ id }) }).transform((found) => found.commit.id));
export const parseStatuses = reader(z.array(status));

function reader<T>(schema: z.ZodType<T>): (data: unknown) => T {
  return (data) => {
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new RestProblem(
      'unreadable',
      `GitLab answered something else than its API documents (${where === '' ? 'as a whole' : where}); check the url in config/services.yaml`,
    );
  };
}
