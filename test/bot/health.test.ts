import { get } from 'node:http';
import { expect } from 'chai';
import { healthRoutes } from '../../src/bot/health.ts';
import { createHttpServer, type HttpServer } from '../../src/bot/http.ts';
import { createMetrics } from '../../src/bot/metrics.ts';
import { quiet } from '../support/database.ts';

describe('health and metrics', () => {
  let http: HttpServer;
  let url: string;
  let troubles: readonly string[] = [];
  let away = false;
  const metrics = createMetrics({ version: '1.2.3', database: 'embedded' }, async () => {
    if (away) throw new Error('away');
    return {
      postsWaiting: 3,
      oldestPostSeconds: 12.5,
      postsGivenUp: 0,
      hooksWaiting: 1,
      hooksPutAside: 2,
      alertsFiring: 4,
      deploymentsOpen: 5,
    };
  });

  before(async () => {
    http = await createHttpServer({ port: 0 }, quiet);
    healthRoutes(http.beforeParsers, { metrics, token: 't'.repeat(20), troubles: async () => troubles });
    url = `http://127.0.0.1:${(await http.listen()).port}`;
  });
  after(() => http.close(0));

  it('/healthz says that the process lives', async () => {
    const response = await fetch(`${url}/healthz`);
    expect([response.status, await response.json()]).to.deep.equal([200, { status: 'alive' }]);
  });

  it('/readyz says what keeps it from working', async () => {
    expect((await fetch(`${url}/readyz`)).status).to.equal(200);
    troubles = ['database'];
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.json()]).to.deep.equal([
      503,
      { status: 'not ready', troubles: ['database'] },
    ]);
    troubles = [];
  });

  it('/metrics counts commands, messages and hooks', async () => {
    metrics.commands.finished('deploy.start', 'succeeded', 0.2);
    metrics.heard('web', true);
    metrics.hooks.received('alertmanager', 'accepted');
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).to.contain('shipmate_commands_total{command="deploy.start",outcome="succeeded"} 1');
    expect(text).to.contain('shipmate_messages_total{chat="web",addressed="true"} 1');
    expect(text).to.contain('shipmate_hook_requests_total{source="alertmanager",outcome="accepted"} 1');
    expect(text).to.contain('shipmate_build_info{version="1.2.3",database="embedded"} 1');
  });

  it('/metrics is closed to a page that found a name for this machine, and to every kind of proxy', async () => {
    const asked = async (headers: Record<string, string>): Promise<number> =>
      await new Promise((resolve, reject) => {
        get(`${url}/metrics`, { headers, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        }).on('error', reject);
      });
    expect(await asked({})).to.equal(200);
    expect(await asked({ Host: 'evil.example' })).to.equal(401);
    for (const name of ['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Real-IP', 'Via']) {
      expect(await asked({ [name]: 'x' }), name).to.equal(401);
    }
  });

  it('/metrics tells what waits, and leaves it out while the database is away', async () => {
    metrics.deployed('failed');
    metrics.asked('passages');
    metrics.rolledBack('alert', 'started');
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).to.contain('\nshipmate_posts_waiting 3\n').and.contain('\nshipmate_posts_oldest_seconds 12.5\n');
    expect(text).to.contain('\nshipmate_hook_events_put_aside 2\n').and.contain('\nshipmate_alerts_firing 4\n');
    expect(text).to.contain('shipmate_deployments_total{state="failed"} 1');
    expect(text).to.contain('shipmate_rollbacks_total{cause="alert",outcome="started"} 1');
    expect(text).to.contain('shipmate_questions_total{origin="passages"} 1');
    away = true;
    const less = await (await fetch(`${url}/metrics`)).text();
    expect(less).to.contain('shipmate_build_info').and.not.contain('shipmate_posts_waiting');
  });

  it('/metrics wants the token from whoever comes through a proxy', async () => {
    const through = { 'X-Forwarded-For': '203.0.113.7' };
    expect((await fetch(`${url}/metrics`, { headers: through })).status).to.equal(401);
    expect((await fetch(`${url}/metrics`, { headers: { ...through, Authorization: 'Bearer wrong' } })).status).to.equal(
      401,
    );
    const shown = { ...through, Authorization: `Bearer ${'t'.repeat(20)}` };
    expect((await fetch(`${url}/metrics`, { headers: shown })).status).to.equal(200);
  });
});
