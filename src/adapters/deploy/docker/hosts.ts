/** Reading from the engines that services run on, for the `docker` commands. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { TargetConfig } from '../../../domain/deploy/config.ts';
import type { DockerPlace } from '../../../domain/deploy/targets/docker.ts';
import type { DockerHosts, DockerPlaceName, DockerUsage } from '../../../domain/docker/ports.ts';
import { maskOf } from '../command/client.ts';
import { clearly } from './clearly.ts';
import { createEngine, type Engine } from './engine.ts';
import { placeLabels, runningOf } from './rollout.ts';
import type { Listed, Stats } from './schema.ts';
import { LABELS, namesOf, placeOf, versionOf } from './settings.ts';

/** Between two looks at an engine that does not do the first one itself. */
const BETWEEN_MS = 500;

export interface DockerHostsOptions {
  readonly services: readonly {
    readonly name: string;
    readonly environments: readonly string[];
    readonly target: TargetConfig;
  }[];
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Blots out secrets. */
  redact(text: string): string;
}

export function createDockerHosts({ services, root, environment, redact }: DockerHostsOptions): DockerHosts {
  const engines = new Map<DockerPlace, Engine>();

  function find(wanted: DockerPlaceName): { place: DockerPlace; engine: Engine } | undefined {
    const service = services.find(({ name }) => name === wanted.service);
    if (service?.target.kind !== 'docker' || !service.environments.includes(wanted.environment)) return undefined;
    const place = placeOf(service.target, wanted.environment);
    const engine = engines.get(place) ?? createEngine(place, root);
    engines.set(place, engine);
    return { place, engine };
  }

  return {
    services: () => services.flatMap(({ name, target }) => (target.kind === 'docker' ? [name] : [])),
    async containers(wanted) {
      const found = find(wanted);
      if (!found) return undefined;
      const { place, engine } = found;
      return await clearly(async () =>
        (await containersOf(engine, place, wanted)).map((one) => {
          const version = versionOf(place, one.image) ?? one.labels[LABELS.version];
          const deployment = Number(one.labels[LABELS.deployment]);
          return {
            name: one.name,
            image: one.image,
            ...(version === undefined ? {} : { version }),
            ...(deployment > 0 ? { deployment } : {}),
            state: one.state,
            status: one.status,
            createdAt: one.createdAt,
          };
        }),
      );
    },
    async logs(wanted, lines) {
      const found = find(wanted);
      if (!found) return undefined;
      const { place, engine } = found;
      const mask = maskOf(place.pass, environment);
      return await clearly(async () => {
        const [first] = await containersOf(engine, place, wanted);
        const container =
          (await runningOf(engine, place, wanted)) ??
          (first === undefined ? undefined : await engine.inspect(first.id));
        if (!container) return 'nothing';
        const said = await engine.logs(container, lines);
        return {
          name: container.name,
          lines: redact(mask(said.join('\n')))
            .split('\n')
            .filter((line) => line !== ''),
        };
      });
    },
    async stats(wanted) {
      const found = find(wanted);
      if (!found) return undefined;
      const { place, engine } = found;
      return await clearly(async () => {
        const container = await runningOf(engine, place, wanted);
        if (!container) return 'nothing';
        const first = await engine.stats(container.id);
        if (first.precpu_stats?.system_cpu_usage) return usageOf(container.name, first, first.precpu_stats);
        await sleep(BETWEEN_MS);
        return usageOf(container.name, await engine.stats(container.id), first.cpu_stats);
      });
    },
  };
}

/** Those of the place by their labels, and whichever has the name; that one first. */
async function containersOf(engine: Engine, place: DockerPlace, wanted: DockerPlaceName): Promise<readonly Listed[]> {
  const { live } = namesOf(place, wanted);
  const [labelled, all] = await Promise.all([engine.list(placeLabels(wanted)), engine.list({})]);
  const named = all.filter(({ name }) => name === live);
  return [...named, ...labelled.filter(({ name }) => name !== live)];
}

/**
 * As `docker stats` reckons: the share of processor time between two looks, times the processors.
 * Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerStats
 */
export function usageOf(name: string, now: Stats, before: NonNullable<Stats['precpu_stats']>): DockerUsage {
  const used = now.cpu_stats.cpu_usage.total_usage - (before.cpu_usage?.total_usage ?? 0);
  const passed = (now.cpu_stats.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const { usage, limit, stats } = now.memory_stats;
  const networks = Object.values(now.networks ?? {});
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  const processes = now.pids_stats?.current;
  return {
    name,
    ...(passed > 0 && used >= 0 ? { cpuPercent: (used / passed) * (now.cpu_stats.online_cpus ?? 1) * 100 } : {}),
    memory: Math.max(0, (usage ?? 0) - (stats?.inactive_file ?? 0)),
    ...(limit ? { memoryLimit: limit } : {}),
    received: sum(networks.map((one) => one.rx_bytes)),
    sent: sum(networks.map((one) => one.tx_bytes)),
    ...(processes ? { processes } : {}),
  };
}
