/** How much of a report is kept. */

import { clean, oneLine } from '../alerts/bounds.ts';
import type { Order, PipelineJob, PipelineReport, PipelineRun } from './ports.ts';

const NAME = 200;
const TEXT = 500;
const URL_LENGTH = 2000;
const JOBS = 500;
const KEY = 500;

/** The same report within bounds; of a job that is named twice, the newer. */
export function bounded({ run, jobs }: PipelineReport): PipelineReport {
  const byId = new Map<string, PipelineJob & Order>();
  for (const job of jobs) {
    const { id, at } = job;
    const known = byId.get(id);
    if (!known || known.at <= at) byId.set(id, boundedJob(job));
  }
  return { run: boundedRun(run), jobs: [...byId.values()].slice(0, JOBS) };
}

function boundedRun(run: PipelineRun & Order): PipelineRun & Order {
  const { number, branch, commit, title, version, environment, by, url, problem, ...rest } = run;
  return {
    ...rest,
    run: line(run.run, KEY),
    repository: line(run.repository, NAME),
    name: line(run.name, NAME),
    ...given(number, NAME, (number) => ({ number })),
    ...given(branch, NAME, (branch) => ({ branch })),
    ...given(commit, NAME, (commit) => ({ commit })),
    ...given(title?.trimStart().split('\n', 1)[0], NAME, (title) => ({ title })),
    ...given(version, NAME, (version) => ({ version })),
    ...given(environment, NAME, (environment) => ({ environment })),
    ...given(by, NAME, (by) => ({ by })),
    ...given(problem, TEXT, (problem) => ({ problem })),
    ...address(url),
  };
}

function boundedJob(job: PipelineJob & Order): PipelineJob & Order {
  const { stage, step, url, ...rest } = job;
  return {
    ...rest,
    id: line(job.id, KEY),
    name: line(job.name, NAME),
    ...given(stage, NAME, (stage) => ({ stage })),
    ...given(step, TEXT, (step) => ({ step })),
    ...address(url),
  };
}

function line(text: string, limit: number): string {
  return oneLine(clean(text, limit), limit);
}

function given<T extends object>(text: string | undefined, limit: number, make: (kept: string) => T): T | object {
  const kept = text === undefined ? '' : line(text, limit);
  return kept === '' ? {} : make(kept);
}

function address(url: string | undefined): { readonly url?: string } {
  return url && url.length <= URL_LENGTH ? { url: clean(url, URL_LENGTH) } : {};
}
