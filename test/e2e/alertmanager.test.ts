/** A real Alertmanager in front of the real intake, jobs and record: one card for a group, from firing to resolved. */

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import express from 'express';
import { alertmanagerHook } from '../../src/adapters/alerts/alertmanager/hook.ts';
import type { Card } from '../../src/bot/card.ts';
import { createHooks } from '../../src/bot/hooks.ts';
import { createAlerts } from '../../src/domain/alerts/alerts.ts';
import { createAlertStore } from '../../src/storage/alerts.ts';
import type { Database } from '../../src/storage/database.ts';
import { createHookStore } from '../../src/storage/hooks.ts';
import { createJobs, type RunningJobs } from '../../src/storage/jobs.ts';
import { quiet, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/missing.ts';

const PROGRAM = '/usr/bin/prometheus-alertmanager';
const INSTALL = 'apt-get install --no-install-recommends prometheus-alertmanager';
const TOKEN = 'correct-horse-battery';

function installed(): boolean {
  try {
    accessSync(PROGRAM, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((resolve) => socket.listen(0, '127.0.0.1', resolve));
  const address = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  if (!address || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('a real Alertmanager', function () {
  this.timeout(60_000);
  let db: Database;
  let jobs: RunningJobs;
  let server: Server;
  let alertmanager: ChildProcess | undefined;
  let folder: string;
  let api: string;
  let requests: string[];
  const shown = new Map<string, Card>();

  before(async function () {
    if (!installed()) return needs(this, 'Alertmanager', INSTALL);
    db = await testDatabase();
    jobs = createJobs(db, { log: quiet, replicas: { id: 'here', onLost: () => undefined } });
    const alerts = createAlerts({
      store: createAlertStore(db),
      tester: { send: async () => ({ kind: 'accepted' }) },
      post: async (address, content, { key }) => {
        if (typeof content !== 'string') shown.set(`${address.room} ${key}`, content);
      },
      address: (room) => ({ chat: 'test', room }),
      rooms: () => ['ops'],
      resolveTestLater: async () => undefined,
      redact: (text) => text,
      now: () => new Date(),
      newId: () => 'abc',
      log: quiet,
    });
    requests = [];
    const hooks = createHooks({
      store: createHookStore(db),
      tokens: [TOKEN],
      jobs,
      log: quiet,
      now: () => new Date(),
      metrics: { received: (source, outcome) => void requests.push(`${source} ${outcome}`) },
    });
    hooks.register(alertmanagerHook(alerts));
    await jobs.start();
    await hooks.start();
    const app = express();
    app.use('/hooks', hooks.handler);
    server = createServer(app);
    const [port, own] = [await freePort(), await freePort()];
    await new Promise<void>((resolve) => server.listen(own, '127.0.0.1', resolve));

    folder = await mkdtemp(join(tmpdir(), 'alertmanager-'));
    await writeFile(
      join(folder, 'alertmanager.yml'),
      `
route:
  receiver: shipmate
  group_by: [alertname, cluster]
  group_wait: 100ms
  group_interval: 300ms
  repeat_interval: 1h
receivers:
  - name: shipmate
    webhook_configs:
      - url: http://127.0.0.1:${own}/hooks/alertmanager
        http_config:
          authorization:
            credentials: ${TOKEN}
`,
    );
    alertmanager = spawn(
      PROGRAM,
      [
        `--config.file=${join(folder, 'alertmanager.yml')}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
      ],
      { stdio: 'ignore' },
    );
    api = `http://127.0.0.1:${port}`;
    await eventually(async () => (await fetch(`${api}/-/ready`)).ok, Boolean, 20_000);
  });

  after(async () => {
    if (alertmanager && alertmanager.exitCode === null) {
      const ended = new Promise((resolve) => alertmanager?.once('exit', resolve));
      alertmanager.kill('SIGKILL');
      await ended;
    }
    server?.closeAllConnections();
    if (server) await new Promise((resolve) => server.close(resolve));
    await jobs?.stop(2000);
    await db?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function report(instances: Readonly<Record<string, 'fires' | 'ended'>>, started: Date): Promise<void> {
    const now = new Date();
    const response = await fetch(`${api}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(
        Object.entries(instances).map(([instance, state]) => ({
          labels: { alertname: 'HighErrorRate', cluster: 'eu', instance, severity: 'critical' },
          annotations: { summary: `errors on ${instance}`, runbook_url: 'https://runbooks.example.com/5xx' },
          startsAt: started.toISOString(),
          ...(state === 'ended' ? { endsAt: now.toISOString() } : {}),
          generatorURL: 'http://prometheus.example.com/graph',
        })),
      ),
    });
    expect(response.status).to.equal(200);
  }

  const titles = (): string[] => [...shown.values()].map((card) => card.title);
  const become = async (...wanted: string[]): Promise<void> => {
    await eventually(titles, (found) => JSON.stringify(found) === JSON.stringify(wanted), 15_000);
  };

  it('shows one card: firing, more firing, one resolved, all resolved; and a new one when it fires again', async () => {
    const started = new Date();
    await report({ 'web-1': 'fires' }, started);
    await become('#1 HighErrorRate: firing');
    const [first] = shown.values();
    expect(first?.fields?.find((field) => field.name === 'Links')?.value).to.equal(
      '[Runbook](https://runbooks.example.com/5xx) · [Source](http://prometheus.example.com/graph)',
    );
    await report({ 'web-2': 'fires' }, started);
    await become('#1 HighErrorRate: 2 firing');
    await report({ 'web-1': 'ended' }, started);
    await become('#1 HighErrorRate: 1 of 2 firing');
    await report({ 'web-2': 'ended' }, started);
    await become('#1 HighErrorRate: all 2 resolved');
    await report({ 'web-1': 'fires' }, new Date());
    await become('#1 HighErrorRate: all 2 resolved', '#2 HighErrorRate: firing');
    expect(new Set(requests)).to.deep.equal(new Set(['alertmanager accepted']));
  });
});
