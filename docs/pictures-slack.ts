/**
 * Takes the pictures of Slack for the README and the guide: `node docs/pictures-slack.ts`. The real program talks to the server
 * that plays Slack in the tests; what it posts is drawn by a small renderer of this project, not by Slack.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { freePort } from '../test/support/postgres.ts';
import { renderPage, type Scene } from '../test/support/slack/render-page.ts';
import { type SlackServer, startSlack } from '../test/support/slack/server.ts';

const HOOK_TOKEN = 'pictures-pictures';
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'shipmate-pictures-'));
const slack = await startSlack();
const port = await freePort();
const alice = slack.addPerson({ name: 'alice' });
const bob = slack.addPerson({ name: 'bob' });
slack.addChannel({ name: 'ops', members: ['alice', 'bob', slack.bot.name] });

await cp(join(root, 'config'), join(folder, 'config'), { recursive: true });
await writeFile(
  join(folder, 'config/access.yaml'),
  [
    'roles:',
    "  deployer: ['deploy:*', 'alerts:*']",
    'people:',
    `  'slack:${alice.id}': [admin]`,
    `  'slack:${bob.id}': [deployer]`,
  ].join('\n'),
);
const program = spawn(process.execPath, [join(root, 'bin/shipmate'), '--adapter', 'slack'], {
  cwd: root,
  env: {
    ...process.env,
    SHIPMATE_DATA: join(folder, 'data'),
    SHIPMATE_CONFIG: join(folder, 'config'),
    SHIPMATE_HOOK_TOKEN: HOOK_TOKEN,
    HUBOT_LOG_LEVEL: 'error',
    PORT: String(port),
    SLACK_API_URL: slack.apiUrl,
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_APP_TOKEN: slack.appToken,
  },
  stdio: 'inherit',
});

try {
  await slack.connected();
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', '--disable-sync'],
  });
  await takePictures(browser, slack);
  await browser.close();
} finally {
  program.kill('SIGTERM');
  await once(program, 'exit');
  await slack.close();
  await rm(folder, { recursive: true });
}

async function takePictures(browser: Browser, server: SlackServer): Promise<void> {
  server.say('bob', 'ops', 'anybody looking at the crash loop in payments?');
  await alert();
  const firing = await server.message('ops', ({ text }) => text.includes('KubePodCrashLooping'));
  await server.press('alice', firing, 'Acknowledge');
  await server.message('ops', ({ text }) => text.startsWith('alice has alert'));
  server.say('alice', 'ops', 'deploy hello v2 to production', { mention: true });
  await server.message('ops', ({ text }) => text.includes('is live in production'), 30_000);
  await draw(browser, 'slack-deploy', { kind: 'channel', channel: server.channel('ops') });

  server.say('alice', server.dm('alice'), 'what do I do when KubePodCrashLooping fires?');
  await server.message(server.dm('alice'), ({ text }) => text.includes('First five minutes'));
  await draw(browser, 'slack-ask', { kind: 'channel', channel: server.dm('alice') });

  await server.slash('bob', 'ops', '/shipmate', 'deploy hello');
  const view = await server.view('bob');
  await draw(browser, 'slack-form', { kind: 'modal', view });

  server.openHome('alice');
  await draw(browser, 'slack-home', { kind: 'home', view: await server.home('alice') });
}

async function draw(browser: Browser, name: string, scene: Scene): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 760, height: 200 }, deviceScaleFactor: 1.5 });
  const page = await context.newPage();
  await page.setContent(renderPage(slack.workspace, [scene], { width: 760 }));
  await page.screenshot({ path: join(root, `docs/images/${name}.png`), fullPage: true });
  await context.close();
}

async function alert(): Promise<void> {
  const labels = { alertname: 'KubePodCrashLooping', severity: 'critical', namespace: 'payments', pod: 'api-7c9f6' };
  const annotations = { summary: 'Pod api-7c9f6 restarts again and again' };
  const response = await fetch(`http://127.0.0.1:${port}/hooks/alertmanager`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${HOOK_TOKEN}` },
    body: JSON.stringify({
      version: '4',
      groupKey: 'pictures',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'shipmate',
      groupLabels: labels,
      commonLabels: labels,
      commonAnnotations: annotations,
      externalURL: 'http://alertmanager.example.com',
      alerts: [
        {
          status: 'firing',
          labels,
          annotations,
          startsAt: new Date().toISOString(),
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: 'http://prometheus.example.com/graph',
          fingerprint: 'a1b2c3d4e5f60718',
        },
      ],
    }),
  });
  if (!response.ok) throw new Error(`the alert was refused: ${response.status}`);
}
