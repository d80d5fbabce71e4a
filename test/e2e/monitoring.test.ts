/** The whole way of an alert: a real Prometheus, a real Alertmanager, the real program, and one message in the room. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/missing.ts';
import { freePort } from '../support/postgres.ts';
import { endAll, Guest, HOOK_TOKEN, start } from '../support/program.ts';

const PROMETHEUS = '/usr/bin/prometheus';
const ALERTMANAGER = '/usr/bin/prometheus-alertmanager';

describe('Prometheus, Alertmanager and the program', function () {
  this.timeout(120_000);
  const children: ChildProcess[] = [];
  /** What the watched service says of its two shards: 1 is broken. */
  const broken = { a: 0, b: 0 };
  let folder: string;
  let service: Server;
  let alice: Guest;

  before(async function () {
    if (!existsSync(PROMETHEUS)) needs(this, 'Prometheus', 'apt-get install --no-install-recommends prometheus');
    if (!existsSync(ALERTMANAGER)) {
      needs(this, 'Alertmanager', 'apt-get install --no-install-recommends prometheus-alertmanager');
    }
    folder = await mkdtemp(join(tmpdir(), 'shipmate-monitoring-'));
    const [metricsPort, prometheusPort, alertmanagerPort] = [await freePort(), await freePort(), await freePort()];
    service = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/plain; version=0.0.4');
      response.end(`shard_broken{shard="a"} ${broken.a}\nshard_broken{shard="b"} ${broken.b}\n`);
    });
    await new Promise<void>((resolve) => service.listen(metricsPort, '127.0.0.1', resolve));

    const program = await start({ data: join(folder, 'data') });
    alice = new Guest('alice');
    await alice.connect(program);

    await writeFile(
      join(folder, 'alertmanager.yml'),
      `
route: { receiver: shipmate, group_by: [alertname], group_wait: 200ms, group_interval: 500ms, repeat_interval: 1h }
receivers:
  - name: shipmate
    webhook_configs:
      - url: ${program.url}/hooks/alertmanager
        http_config: { authorization: { credentials: ${HOOK_TOKEN} } }
`,
    );
    await writeFile(
      join(folder, 'rules.yml'),
      `
groups:
  - name: shards
    interval: 500ms
    rules:
      - alert: ShardBroken
        expr: shard_broken == 1
        labels: { severity: critical }
        annotations: { summary: 'Shard {{ $labels.shard }} is broken' }
`,
    );
    await writeFile(
      join(folder, 'prometheus.yml'),
      `
global: { scrape_interval: 500ms, evaluation_interval: 500ms }
rule_files: [${join(folder, 'rules.yml')}]
alerting: { alertmanagers: [{ static_configs: [{ targets: ['127.0.0.1:${alertmanagerPort}'] }] }] }
scrape_configs: [{ job_name: shards, static_configs: [{ targets: ['127.0.0.1:${metricsPort}'] }] }]
`,
    );
    run(ALERTMANAGER, [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
      '--cluster.listen-address=',
    ]);
    run(PROMETHEUS, [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
      '--rules.alert.resend-delay=500ms',
    ]);
    await eventually(async () => (await fetch(`http://127.0.0.1:${prometheusPort}/-/ready`)).ok, Boolean, 30_000);
  });

  after(async () => {
    for (const child of children) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    await endAll();
    if (service) await new Promise((resolve) => service.close(resolve));
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  function run(program: string, args: readonly string[]): void {
    children.push(spawn(program, args, { stdio: 'ignore' }));
  }

  /** The messages in the room whose card names the alert. */
  async function cards(): Promise<readonly { readonly id: number; readonly text: string }[]> {
    const messages = await alice.read('ops', 0);
    return messages.flatMap((message) => {
      const text = JSON.stringify(message);
      return text.includes('ShardBroken') ? [{ id: message.id, text }] : [];
    });
  }

  async function oneCard(saying: string): Promise<number> {
    const found = await eventually(cards, (all) => all.length === 1 && all[0]?.text.includes(saying) === true, 45_000);
    return found[0]?.id ?? 0;
  }

  it('one message fires, fires more, and resolves', async () => {
    broken.a = 1;
    const first = await oneCard('Shard a is broken');
    broken.b = 1;
    expect(await oneCard('2 firing')).to.equal(first);
    broken.a = 0;
    expect(await oneCard('1 of 2 firing')).to.equal(first);
    broken.b = 0;
    expect(await oneCard('resolved')).to.equal(first);
  });
});
