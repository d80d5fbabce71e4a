/** The target `docker`: one container a service and environment. See docs/guide/targets/docker.md. */

import type { Live, Target, TargetOutcome, TargetRequest, TargetRun } from '../../../domain/deploy/target.ts';
import type { DockerPlace, DockerTargetConfig } from '../../../domain/deploy/targets/docker.ts';
import { maskOf } from '../command/client.ts';
import { clearly } from './clearly.ts';
import { createEngine, type Engine } from './engine.ts';
import { rollOut, runningOf } from './rollout.ts';
import { type Handle, parseHandle } from './schema.ts';
import { LABELS, placeOf, versionOf } from './settings.ts';

export interface DockerTargetOptions {
  readonly service: string;
  readonly config: DockerTargetConfig;
  /** Relative paths of certificates start here. */
  readonly root: string;
  /** The robot's environment, from which only what `pass` names is handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function createDockerTarget({ service, config, root, environment }: DockerTargetOptions): Target {
  const engines = new Map<DockerPlace, Engine>();

  function engineOf(place: DockerPlace): Engine {
    const known = engines.get(place);
    if (known) return known;
    const made = createEngine(place, root);
    engines.set(place, made);
    return made;
  }

  async function go(request: TargetRequest, run: TargetRun, handle?: Handle): Promise<TargetOutcome> {
    const place = placeOf(config, request.environment);
    const secret = place.registry?.passwordFrom;
    const mask = maskOf([...place.pass, ...(secret === undefined ? [] : [secret])], environment);
    if (secret !== undefined && !environment[secret])
      return { kind: 'failed', code: 'registry', text: `the variable ${secret} of \`registry\` is not set` };
    const outcome = await rollOut({
      engine: engineOf(place),
      place,
      wanted: request,
      run: { ...run, signal: run.signal, output: (line) => run.output(mask(line)) },
      environment,
      ...(handle === undefined ? {} : { handle }),
    });
    return outcome.kind === 'succeeded' ? outcome : { ...outcome, text: mask(outcome.text) };
  }

  async function current(_service: string, environmentName: string): Promise<Live | undefined> {
    const place = placeOf(config, environmentName);
    return await clearly(async () => {
      const found = await runningOf(engineOf(place), place, { service, environment: environmentName });
      if (!found?.running) return undefined;
      const version = versionOf(place, found.image) ?? found.labels[LABELS.version] ?? found.image;
      return { version, ...(found.startedAt === undefined ? {} : { since: found.startedAt }) };
    });
  }

  async function versions(): Promise<readonly string[] | 'unsupported'> {
    if (config.versions === undefined) return 'unsupported';
    return await clearly(async () => {
      const tags = await engineOf(config.place).tags();
      return [...new Set(tags.flatMap((tag) => versionOf(config.place, tag) ?? []))];
    });
  }

  return {
    kind: 'docker',
    deploy: (request, run) => go(request, run),
    async resume(request, stored, run) {
      const handle = parseHandle(stored);
      if (handle) return await go(request, run, handle);
      return {
        kind: 'interrupted',
        text: 'the robot was stopped, and what it remembered of the rollout cannot be read',
      };
    },
    current,
    versions,
    // What a killed robot began goes on by itself, and is taken up.
    settle: async () => undefined,
  };
}
