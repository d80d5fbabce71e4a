/**
 * What the notification plugin of Jenkins sends. Strict in what is used, indifferent to everything else.
 * https://github.com/jenkinsci/notification-plugin
 */

import { z } from 'zod';
import type { PipelineReport, RunState } from '../../../domain/pipelines/ports.ts';

const optionalText = z.string().nullish();

/** Milliseconds of older versions, `2026-11-20T08:00:00.123+00:00` of newer ones. One that cannot be read counts as none. */
const moment = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value): Date | undefined => {
    const at = new Date(value ?? Number.NaN);
    return Number.isNaN(at.getTime()) ? undefined : at;
  });

const notification = z.object({
  name: z.string().min(1),
  display_name: optionalText,
  url: z.string().default(''),
  build: z.object({
    number: z.number().int().nonnegative(),
    phase: optionalText,
    status: optionalText,
    full_url: optionalText,
    timestamp: moment,
    duration: z.number().nonnegative().nullish(),
    scm: z
      .object({
        url: optionalText,
        branch: optionalText,
        commit: optionalText,
        culprits: z.array(z.string()).nullish(),
      })
      .nullish(),
    test_summary: z
      .object({
        total: z.number().int().nonnegative(),
        failed: z.number().int().nonnegative(),
        failed_tests: z.array(z.string()).nullish(),
      })
      .nullish(),
  }),
});

type Notification = z.infer<typeof notification>;

/** A sentence that says what is wrong with a notification; undefined if it can be used. */
export function notificationProblem(content: unknown): string | undefined {
  const parsed = notification.safeParse(content);
  if (parsed.success) return undefined;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'the body';
  return `This is no notification of Jenkins: ${where}: ${issue?.message ?? 'not understood'}.`;
}

/** @throws Error if it is no notification */
export function reportOf(content: unknown): PipelineReport {
  const { name, display_name: shown, url, build } = notification.parse(content);
  const { scm, timestamp, duration } = build;
  const state = stateOf(build);
  const over = isOver(build.phase);
  const by = scm?.culprits?.join(', ');
  const host = build.full_url ? URL.parse(build.full_url)?.host : undefined;
  const branch = scm?.branch?.replace(/^(?:refs\/heads\/|refs\/remotes\/)?(?:origin\/)?/, '');
  const problem = problemOf(build);
  return {
    run: {
      source: 'jenkins',
      run: `${host ?? 'jenkins'}/${url || name}#${build.number}`,
      kind: 'pipeline',
      repository: (scm?.url ? repositoryOf(scm.url) : undefined) ?? jobPath(url, name),
      name: shown || name,
      number: String(build.number),
      state,
      round: roundOf(build.phase),
      // The phase is the clock: what the plugin gives as time means something else in each of them.
      at: new Date(0),
      ...(build.full_url ? { url: build.full_url } : {}),
      ...(branch ? { branch } : {}),
      ...(scm?.commit ? { commit: scm.commit } : {}),
      ...(by ? { by } : {}),
      ...(problem === undefined ? {} : { problem }),
      ...times(over, timestamp, duration),
    },
    jobs: [],
  };
}

const PHASES = ['QUEUED', 'STARTED', 'COMPLETED', 'FINALIZED'];

/** A build goes through its phases once. A step of the build that sends a note has none, and is in the middle. */
function roundOf(phase: string | null | undefined): number {
  const at = PHASES.indexOf(phase ?? '');
  return at === -1 ? PHASES.indexOf('STARTED') : at;
}

function isOver(phase: string | null | undefined): boolean {
  return phase === 'COMPLETED' || phase === 'FINALIZED';
}

/** The result of a build that is not over is what it would be now. One that nobody knows is no success. */
function stateOf({ phase, status }: Notification['build']): RunState {
  if (!isOver(phase)) return phase === 'QUEUED' ? 'queued' : 'running';
  if (status === 'SUCCESS') return 'succeeded';
  if (status === 'ABORTED') return 'cancelled';
  return status === 'NOT_BUILT' ? 'skipped' : 'failed';
}

function problemOf({ phase, status, test_summary: tests }: Notification['build']): string | undefined {
  if (!isOver(phase)) return undefined;
  if (tests && tests.failed > 0) {
    const [first, ...others] = tests.failed_tests ?? [];
    const which = first === undefined ? '' : `: ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`;
    return `${tests.failed} of ${tests.total} tests failed${which}`;
  }
  return status === 'UNSTABLE' ? 'the build is unstable' : undefined;
}

/** Once it is over, the moment is the end of the build, and it took so long. */
function times(
  over: boolean,
  at: Date | undefined,
  duration: number | null | undefined,
): { readonly startedAt?: Date; readonly finishedAt?: Date } {
  if (!at) return {};
  if (!over) return { startedAt: at };
  return { finishedAt: at, ...(duration ? { startedAt: new Date(at.getTime() - duration) } : {}) };
}

/** `owner/name` of `https://host/owner/name.git`, `ssh://git@host:22/owner/name.git` or `git@host:owner/name.git`. */
function repositoryOf(address: string): string | undefined {
  const path = address.includes('://')
    ? URL.parse(address)?.pathname
    : /^[^/:]+:(?<path>.+)$/.exec(address)?.groups?.['path'];
  return path?.replace(/^\/+|\/+$|\.git\/*$/g, '') || undefined;
}

/** `job/team/job/build/` is `team/build`. */
function jobPath(url: string, name: string): string {
  const parts = [...url.matchAll(/(?:^|\/)job\/([^/]+)/g)].map(([, part = '']) => part);
  return parts.length > 0 ? parts.join('/') : name;
}
