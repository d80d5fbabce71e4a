/** The Engine API of one host, through dockerode. Source: https://docs.docker.com/reference/api/engine/version/v1.41/ */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type Docker from 'dockerode';
import type { ContainerCreateOptions } from 'dockerode';
import type { DockerPlace } from '../../../domain/deploy/targets/docker.ts';
import { createLines } from '../lines.ts';
import {
  type Container,
  type Listed,
  parseContainer,
  parseImages,
  parseList,
  parsePulled,
  parseStats,
  type Stats,
} from './schema.ts';
import { EngineTrouble, troubleOf } from './trouble.ts';

/** An answer that takes longer than this does not come; pulling has longer. */
const ANSWER_MS = 20_000;
const PULL_SILENCE_MS = 5 * 60_000;

/** What is needed of an engine. Everything throws {@link EngineTrouble}; everything may be said twice. */
export interface Engine {
  /** By id or name; undefined if there is none. */
  inspect(container: string): Promise<Container | undefined>;
  /** Running or not, with all of these labels; newest first. */
  list(labels: Readonly<Record<string, string>>): Promise<readonly Listed[]>;
  /** The id of the container. */
  create(options: ContainerCreateOptions): Promise<string>;
  start(id: string): Promise<void>;
  stop(id: string, graceMs: number): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  /** Running or not, with its anonymous volumes. */
  remove(id: string): Promise<void>;
  /** The last lines, of both streams. */
  logs(container: Container, lines: number): Promise<readonly string[]>;
  stats(id: string): Promise<Stats>;
  hasImage(image: string): Promise<boolean>;
  /** Every tag, newest first. */
  tags(): Promise<readonly string[]>;
  pull(image: string, auth: Auth | undefined, said: (line: string) => void, signal: AbortSignal): Promise<void>;
}

export interface Auth {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

/**
 * Nothing is asked before the first call.
 *
 * @param root relative paths of certificates start here
 */
export function createEngine({ engine, tls }: Pick<DockerPlace, 'engine' | 'tls'>, root: string): Engine {
  let made: Promise<Docker> | undefined;
  let patient: Promise<Docker> | undefined;

  async function connect(timeout: number): Promise<Docker> {
    const { default: Client } = await import('dockerode');
    // Every key is given: what is left out is taken from DOCKER_HOST and its like, which are not our configuration.
    const base = { timeout, sshOptions: {}, headers: {} };
    if (engine.startsWith('unix://')) {
      return new Client({ ...base, protocol: 'http', host: undefined, port: undefined, socketPath: engine.slice(7) });
    }
    const { hostname, port } = new URL(engine);
    const there = { ...base, host: hostname, port, socketPath: undefined };
    if (tls === undefined)
      return new Client({ ...there, protocol: 'http', ca: undefined, cert: undefined, key: undefined });
    const [ca, cert, key] = await Promise.all([pem(tls.ca), pem(tls.cert), pem(tls.key)]);
    return new Client({ ...there, protocol: 'https', ca, cert, key });
  }

  async function pem(path: string): Promise<Buffer> {
    try {
      return await readFile(resolve(root, path));
    } catch (error) {
      throw new EngineTrouble('closed', `the file ${path} of \`tls\` cannot be read`, error);
    }
  }

  async function client(): Promise<Docker> {
    made ??= connect(ANSWER_MS);
    try {
      return await made;
    } catch (error) {
      // Certificates may be put there later.
      made = undefined;
      throw error;
    }
  }

  async function ask<T>(call: (docker: Docker) => Promise<T>): Promise<T> {
    try {
      return await call(await client());
    } catch (error) {
      throw troubleOf(error, engine, tls !== undefined);
    }
  }

  async function unless(kind: EngineTrouble['kind'], call: (docker: Docker) => Promise<unknown>): Promise<boolean> {
    try {
      await ask(call);
      return true;
    } catch (error) {
      if (error instanceof EngineTrouble && error.kind === kind) return false;
      throw error;
    }
  }

  /** 304: it is so already. */
  async function change(call: (docker: Docker) => Promise<unknown>): Promise<void> {
    try {
      await ask(call);
    } catch (error) {
      if (!isUnchanged(error)) throw error;
    }
  }

  async function inspect(container: string): Promise<Container | undefined> {
    try {
      return await ask(async (docker) => parseContainer(await docker.getContainer(container).inspect()));
    } catch (error) {
      if (error instanceof EngineTrouble && error.kind === 'missing') return undefined;
      throw error;
    }
  }

  return {
    inspect,
    async list(labels) {
      const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      const found = await ask(async (docker) =>
        parseList(await docker.listContainers({ all: true, filters: { label } })),
      );
      return found.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
    },
    async create(options) {
      return await ask(async (docker) => (await docker.createContainer(options)).id);
    },
    start: (id) => change((docker) => docker.getContainer(id).start()),
    async stop(id, graceMs) {
      // The answer comes when it has stopped.
      const patience = ANSWER_MS + graceMs;
      await change(async () => {
        const slow = await connect(patience);
        await slow.getContainer(id).stop({ t: Math.ceil(graceMs / 1000) });
      });
    },
    async rename(id, name) {
      if ((await inspect(id))?.name === name) return;
      await ask((docker) => docker.getContainer(id).rename({ name }));
    },
    async remove(id) {
      await unless('missing', (docker) => docker.getContainer(id).remove({ force: true, v: true }));
    },
    async logs({ id, tty }, lines) {
      return await ask(async (docker) => {
        const answer: unknown = await docker
          .getContainer(id)
          .logs({ stdout: true, stderr: true, tail: lines, follow: false });
        return logLines(answer, tty).slice(-lines);
      });
    },
    async stats(id) {
      return await ask(async (docker) => parseStats(await docker.getContainer(id).stats({ stream: false })));
    },
    hasImage: (image) => unless('missing', (docker) => docker.getImage(image).inspect()),
    async tags() {
      const found = await ask(async (docker) => parseImages(await docker.listImages()));
      return found.toSorted((a, b) => b.created - a.created).flatMap(({ tags }) => tags);
    },
    async pull(image, auth, said, signal) {
      let complaint: string | undefined;
      await ask(async () => {
        patient ??= connect(PULL_SILENCE_MS);
        const docker = await patient;
        const stream = await docker.pull(image, {
          ...(auth === undefined ? {} : { authconfig: auth }),
          abortSignal: signal,
        });
        const lines = createLines((line) => {
          const { error, status, stream: text, id } = parsePulled(line);
          complaint = error ?? complaint;
          const words = (status ?? text ?? '').trim();
          // Of a layer, only what does not come a hundred times.
          if (words !== '' && (id === undefined || /complete|exists/i.test(words)))
            said(id === undefined ? words : `${id}: ${words}`);
        });
        for await (const chunk of stream) lines.write(Buffer.from(chunk));
        lines.end();
      });
      if (complaint !== undefined)
        throw new EngineTrouble('refused', `the image ${image} could not be pulled: ${complaint.slice(0, 300)}`);
    },
  };
}

function isUnchanged(error: unknown): boolean {
  return error instanceof EngineTrouble && error.kind === 'refused' && /\(304/.test(error.message);
}

/** Both streams in the order in which they came: each piece has a header of eight bytes, unless there is a terminal. */
export function logLines(answer: unknown, tty: boolean): readonly string[] {
  const found: string[] = [];
  // dockerode reads an answer that happens to be JSON.
  const bytes = Buffer.isBuffer(answer) ? answer : Buffer.from(JSON.stringify(answer) ?? '');
  const [out, err] = [createLines((line) => found.push(line)), createLines((line) => found.push(line))];
  if (tty) out.write(bytes);
  for (let at = 0; !tty && at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    (bytes.readUInt8(at) === 2 ? err : out).write(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  out.end();
  err.end();
  return found;
}
