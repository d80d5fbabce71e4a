/** Parsing what a server answers, once. */

import type { z } from 'zod';
import { oneLine } from '../one-line.ts';
import { RestProblem } from './problem.ts';

/** For the schemas of one server: what does not fit is a problem in words, with `hint` as what to do. */
export function readerOf(name: string, hint: string): <T>(schema: z.ZodType<T>) => (data: unknown) => T {
  return (schema) => (data) => {
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const where = oneLine(parsed.error.issues[0]?.path.join('.') ?? '') || 'as a whole';
    throw new RestProblem('unreadable', `${name} answered something else than its API documents (${where}); ${hint}`);
  };
}
