/** Deploys for tests: the real service, record and command target, on the sample service, with posts kept in memory. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createCommandTarget } from '../../src/adapters/deploy/command/client.ts';
import type { Card, Content } from '../../src/bot/card.ts';
import type { Address } from '../../src/bot/chat.ts';
import { servicesSchema } from '../../src/config/services.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import { besides } from '../../src/domain/deploy/afterwards.ts';
import type { ServicesConfig } from '../../src/domain/deploy/config.ts';
import { createDeploys } from '../../src/domain/deploy/deploys.ts';
import type { Clock, DeployPorts, Deploys } from '../../src/domain/deploy/ports.ts';
import { redact } from '../../src/domain/privacy/redact.ts';
import type { Database } from '../../src/storage/database.ts';
import { createLockStore } from '../../src/storage/deploy-locks.ts';
import { createDeployStore } from '../../src/storage/deploys.ts';
import { quiet } from './database.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export const clock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
};

/** The sample service, as it shipped: a team's own config/services.yaml is no matter of tests. */
export async function sampleServices(): Promise<ServicesConfig> {
  const source = await readFile(`${ROOT}test/fixtures/config/services.yaml`, 'utf8');
  const result = parseYaml(source, 'services.yaml', servicesSchema);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

/** Keeps what is live in a file beside it, and in another one what it was told to deploy. */
const QUICK = `case "$1" in
deploy)
  echo "$2 $3" >>deployed
  case "$3" in *-broken) echo "$3 is not healthy"; exit 1 ;; esac
  printf '{"version":"%s","since":"%s"}' "$3" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"live-$2.new" && mv "live-$2.new" "live-$2"
  ;;
current) cat "live-$2" 2>/dev/null || echo '{}' ;;
versions) printf 'v2\\nv1\\nv3-broken\\n' ;;
esac
`;

/**
 * The sample service in small, in that folder: the same name and versions, the same target, but a program that is at work for a moment
 * only. For tests of what is said about deployments; how one is done is another matter.
 */
export async function quickServices(folder: string): Promise<ServicesConfig> {
  await writeFile(join(folder, 'service.sh'), QUICK);
  const say = (...words: string[]) => ['sh', 'service.sh', ...words];
  const target = {
    kind: 'command',
    folder,
    deploy: say('deploy', '{environment}', '{version}'),
    current: say('current', '{environment}'),
    versions: say('versions'),
  };
  const source = JSON.stringify({ environments: { staging: {}, production: {} }, services: { hello: { target } } });
  const result = parseYaml(source, 'services.yaml', servicesSchema);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

export interface TestDeploys {
  readonly deploys: Deploys;
  /** The latest content of each key, and every content in order. */
  readonly shown: Map<string, Card>;
  readonly history: Card[];
  /** Resolves when no job is under way. */
  idle(): Promise<void>;
}

export async function testDeploys(
  db: Database,
  dataFolder: string,
  change: Partial<DeployPorts> = {},
): Promise<TestDeploys> {
  const config = change.config ?? (await sampleServices());
  const shown = new Map<string, Card>();
  const history: Card[] = [];
  const jobs = new Set<Promise<void>>();
  const lockStore = createLockStore(db);
  const deploys: Deploys = createDeploys({
    config,
    store: createDeployStore(db),
    locks: (at) => lockStore.all(at),
    target(name) {
      const service = config.services.find((one) => one.name === name);
      if (service?.target.kind !== 'command') throw new Error(`no service ${name} that runs programs`);
      return createCommandTarget({
        service: name,
        config: service.target,
        root: ROOT,
        dataFolder,
        environment: process.env,
        graceMs: 500,
      });
    },
    clock,
    replica: 'here',
    async enqueue(id) {
      const job = deploys.run(id, new AbortController().signal).finally(() => jobs.delete(job));
      jobs.add(job);
    },
    async tellCancelled(id) {
      deploys.stop(id);
    },
    async post(_origin: Address, content: Content, key: string) {
      if (typeof content === 'string') throw new Error('a card was expected');
      shown.set(key, content);
      history.push(content);
    },
    beside: async (rooms, origin) =>
      besides(
        rooms.map((room) => ({ chat: 'test', room })),
        origin,
      ),
    ended: async () => undefined,
    redact,
    may: async () => true,
    log: quiet,
    ...change,
  });
  return {
    deploys,
    shown,
    history,
    async idle() {
      while (jobs.size > 0) await Promise.all(jobs);
    },
  };
}
