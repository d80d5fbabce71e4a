/** A real Engine API for tests: that of ../shared/docker, on a port and in a folder of its own, ended by its own pid. */

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { needs } from './missing.ts';
import { freePort } from './postgres.ts';

const folder = fileURLToPath(new URL('../../../shared/docker/', import.meta.url));
const INSTALL = 'apt-get install --no-install-recommends podman runc conmon busybox-static';

export interface DockerEngine {
  /** For the key `engine` of a target. */
  readonly engine: string;
  /** For requests of the test itself. */
  readonly url: string;
  /** Ends the engine; its containers go on. */
  gone(): Promise<void>;
  back(): Promise<void>;
  /** Removes every container. */
  clean(): Promise<void>;
  remove(): Promise<void>;
}

/** Skips the running tests, or fails under CI, where it cannot run. It has the images localhost/web:v1, v2 and v3-broken. */
export async function startDocker(context: Mocha.Context): Promise<DockerEngine> {
  const found = (process.env['PATH'] ?? '').split(delimiter).some((place) => existsSync(join(place, 'podman')));
  if (!found || process.getuid?.() !== 0) needs(context, 'podman, run by root,', INSTALL);
  if (!existsSync(join(folder, 'up'))) needs(context, 'the Engine API of ../shared/docker', '../shared/docker/up');
  const home = await mkdtemp(join(tmpdir(), 'shipmate-docker-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment = { ...process.env, DOCKER_HOME: home, DOCKER_PORT: String(port) };
  const script = (name: string) => promisify(execFile)(join(folder, name), { env: environment });
  const pidFile = join(home, 'service.pid');

  async function answers(): Promise<boolean> {
    return await fetch(`${url}/v1.41/version`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  async function gone(): Promise<void> {
    process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
    await eventually(async () => !(await answers()));
  }

  await script('up');
  return {
    engine: `tcp://127.0.0.1:${port}`,
    url,
    gone,
    async back() {
      const where = ['--storage-driver', 'vfs', '--root', join(home, 'store'), '--runroot', join(home, 'run')];
      const service = spawn('podman', [...where, 'system', 'service', '--time=0', `tcp:127.0.0.1:${port}`], {
        env: { ...environment, CONTAINERS_CONF: join(home, 'containers.conf') },
        stdio: 'ignore',
        detached: true,
      });
      service.unref();
      await writeFile(pidFile, String(service.pid));
      await eventually(answers);
    },
    async clean() {
      const all: unknown = await (await fetch(`${url}/v1.41/containers/json?all=true`)).json();
      if (!Array.isArray(all)) throw new Error('the engine gave no list');
      for (const { Id } of all) await fetch(`${url}/v1.41/containers/${Id}?force=true&v=true`, { method: 'DELETE' });
    },
    async remove() {
      await script('down');
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
