/** Pipelines elsewhere: what was heard of them, by service. */

import { bounded } from './bounds.ts';
import type { PipelinePorts, Pipelines, RecordedRun, RunsFound, ShownRun } from './ports.ts';
import { canRerun, failedOf, rerun } from './rerun.ts';

const DAY_MS = 24 * 3_600_000;
/** Runs are kept for so long after they were first heard of. */
const KEEP_MS = 90 * DAY_MS;
/** Names offered to who types. */
const NAMES = 200;
/** Among so many of the last runs the one that failed is looked for. */
const LOOKED_AT = 30;

export function createPipelines({ services, store, repeat }: PipelinePorts): Pipelines {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

  function shown(run: RecordedRun): ShownRun {
    const own = services.filter(({ repository }) => repository !== undefined && same(repository, run.repository));
    return { ...run, services: own.map(({ name }) => name), canRerun: canRerun(run, services) };
  }

  async function runs(of: string | undefined, limit: number): Promise<RunsFound> {
    if (of === undefined) return { kind: 'found', runs: (await store.runs({ limit })).map(shown) };
    const service = services.find(({ name }) => same(name, of));
    if (service && service.repository === undefined) return { kind: 'no-repository' };
    const found = await store.runs({ repositories: [service?.repository ?? of], limit });
    if (found.length === 0 && !service) return { kind: 'unknown', known: await names() };
    return { kind: 'found', runs: found.map(shown) };
  }

  async function names(): Promise<readonly string[]> {
    const mapped = services.filter(({ repository }) => repository !== undefined);
    const others = (await store.repositories(NAMES)).filter(
      (name) => !mapped.some(({ repository }) => repository !== undefined && same(repository, name)),
    );
    return [...mapped.map(({ name }) => name), ...others];
  }

  return {
    record: (report, heardAt) => store.save(bounded(report), heardAt),
    runs,
    async deployments({ service, environment, limit }) {
      const repositories = services.flatMap(({ name, repository }) =>
        repository !== undefined && (service === undefined || name === service) ? [repository] : [],
      );
      // Of a service whose repository nobody named, nothing can be said.
      if (repositories.length === 0) return [];
      const place = environment === undefined ? {} : { environment };
      return (await store.runs({ kind: 'deployment', repositories, ...place, limit })).map(shown);
    },
    async rerun(of, wish) {
      const ports = { services, store, repeat };
      if (of !== undefined && /^\d{1,15}$/.test(of)) {
        const run = await store.run(Number(of));
        return run ? await rerun(ports, shown(run), wish) : { kind: 'nothing' };
      }
      const found = await runs(of, LOOKED_AT);
      if (found.kind !== 'found') return found;
      const failed = failedOf(found.runs);
      const [latest] = wish.all && failed.length === 0 ? found.runs : failed;
      if (!latest) return { kind: 'nothing' };
      if (of === undefined && (failed.length > 1 || wish.all)) return { kind: 'which', runs: failed };
      return await rerun(ports, latest, wish);
    },
    names,
    expire: (now) => store.expire(new Date(now.getTime() - KEEP_MS)),
  };
}
