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
  /** Name and state of every container. */
  containers(): Promise<Record<string, string>>;
  /** What the engine tells of a container. */
  inspect(container: string): Promise<Inspected>;
  /** Makes an image of a Dockerfile without files. */
  build(image: string, dockerfile: string): Promise<void>;
  /** Runs the HEALTHCHECK of a container once: under Podman that is the work of systemd, which is not everywhere. */
  check(container: string): Promise<void>;
  /** Removes every container. */
  clean(): Promise<void>;
  remove(): Promise<void>;
}

interface Inspected {
  readonly Id: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>>; readonly Env: readonly string[] };
  readonly HostConfig: { readonly RestartPolicy: { readonly Name: string } };
}

export interface DockerOptions {
  /** Registries that are spoken to without TLS: `127.0.0.1:5000`. */
  readonly insecure?: readonly string[];
}

/** Skips the running tests, or fails under CI, where it cannot run. It has the images localhost/web:v1, v2 and v3-broken. */
export async function startDocker(
  context: Mocha.Context,
  { insecure = [] }: DockerOptions = {},
): Promise<DockerEngine> {
  const found = (process.env['PATH'] ?? '').split(delimiter).some((place) => existsSync(join(place, 'podman')));
  if (!found || process.getuid?.() !== 0) needs(context, 'podman, run by root,', INSTALL);
  if (!existsSync(join(folder, 'up'))) needs(context, 'the Engine API of ../shared/docker', '../shared/docker/up');
  const home = await mkdtemp(join(tmpdir(), 'shipmate-docker-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const registries = join(home, 'registries.conf');
  await writeFile(
    registries,
    insecure.map((location) => `[[registry]]\nlocation = "${location}"\ninsecure = true\n`).join('\n'),
  );
  const environment = {
    ...process.env,
    DOCKER_HOME: home,
    DOCKER_PORT: String(port),
    CONTAINERS_REGISTRIES_CONF: registries,
  };
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

  async function remove(): Promise<void> {
    await script('down');
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  try {
    await script('up');
  } catch (error) {
    await remove();
    throw error;
  }
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
      await eventually(answers, Boolean, 30_000);
    },
    async containers() {
      const all: unknown = await (await fetch(`${url}/v1.41/containers/json?all=true`)).json();
      if (!Array.isArray(all)) throw new Error('the engine gave no list');
      return Object.fromEntries(all.map(({ Names, State }) => [String(Names[0]).slice(1), String(State)]));
    },
    async inspect(container) {
      const answer = await fetch(`${url}/v1.41/containers/${container}/json`);
      if (!answer.ok) throw new Error(`no container ${container}: ${answer.status}`);
      return JSON.parse(await answer.text());
    },
    async build(image, dockerfile) {
      const context = await mkdtemp(join(home, 'build-'));
      await writeFile(join(context, 'Dockerfile'), dockerfile);
      const { stdout: tar } = await promisify(execFile)('tar', ['-C', context, '-c', 'Dockerfile'], {
        encoding: 'buffer',
      });
      const answer = await fetch(`${url}/v1.41/build?t=${encodeURIComponent(image)}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-tar' },
        body: new Uint8Array(tar),
      });
      const said = await answer.text();
      if (!answer.ok || said.includes('"error"')) throw new Error(`${image} was not built: ${said}`);
    },
    async check(container) {
      await (await fetch(`${url}/v4.0.0/libpod/containers/${container}/healthcheck`)).text();
    },
    async clean() {
      const all: unknown = await (await fetch(`${url}/v1.41/containers/json?all=true`)).json();
      if (!Array.isArray(all)) throw new Error('the engine gave no list');
      for (const { Id } of all) await fetch(`${url}/v1.41/containers/${Id}?force=true&v=true`, { method: 'DELETE' });
    },
    remove,
  };
}
