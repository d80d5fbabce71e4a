/** Hooks of pipelines for tests: real payloads, and a real intake that takes them over HTTP. */

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import express from 'express';
import { createHooks, type Hook } from '../../src/bot/hooks.ts';
import type { Jobs } from '../../src/bot/jobs.ts';
import type { Database } from '../../src/storage/database.ts';
import { createHookStore } from '../../src/storage/hooks.ts';
import { quiet } from './database.ts';
import { needsData } from './missing.ts';

const FOLDER = new URL('../../../shared/fixtures/', import.meta.url);

/** Text of a real payload; skips the running test, out loud, where the folder is missing. */
export function payload(context: Mocha.Context, name: string): string {
  const file = new URL(name, FOLDER);
  if (!existsSync(file)) return needsData(context, '../shared/fixtures');
  return readFileSync(file, 'utf8');
}

export interface Intake {
  readonly url: string;
  /** What was counted, as `source outcome`. */
  readonly counted: string[];
  /** Resolves when everything that came in is handled. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** The hooks behind a real HTTP server, over a real store. */
export async function intake(
  db: Database,
  token: string,
  redact: (text: string) => string,
  hooks: readonly Hook[],
): Promise<Intake> {
  const handlers = new Map<string, (data: object) => Promise<void>>();
  const running: Promise<void>[] = [];
  const jobs: Jobs = {
    define: (name, _options, handler) => {
      handlers.set(name, async (data) => {
        await Reflect.apply(handler, undefined, [data, { id: 'x', attempt: 1, signal: AbortSignal.timeout(5000) }]);
      });
    },
    send: async (name, data) => void running.push(handlers.get(name)?.(data) ?? Promise.resolve()),
    schedule: async () => undefined,
  };
  const counted: string[] = [];
  const door = createHooks({
    store: createHookStore(db),
    tokens: [token],
    jobs,
    log: quiet,
    now: () => new Date(),
    redact,
    metrics: { received: (source, outcome) => void counted.push(`${source} ${outcome}`) },
  });
  for (const hook of hooks) door.register(hook);
  const app = express();
  app.use('/hooks', door.handler);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/hooks`,
    counted,
    settled: async () => void (await Promise.all(running.splice(0))),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
