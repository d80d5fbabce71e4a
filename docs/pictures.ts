/** Takes the pictures of the web chat for the README, from the real program in Chromium: `node docs/pictures.ts`. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const data = await mkdtemp(join(tmpdir(), 'shipmate-pictures-'));
const program = spawn(process.execPath, [join(root, 'bin/shipmate')], {
  cwd: root,
  env: { ...process.env, SHIPMATE_DATA: data, SHIPMATE_HOOK_TOKEN: 'pictures-pictures', HUBOT_LOG_LEVEL: 'error' },
  stdio: ['ignore', 'inherit', 'pipe'],
});

try {
  const link = await linkOf();
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', '--disable-sync'],
  });
  await takePictures(browser, link);
  await browser.close();
} finally {
  program.kill('SIGTERM');
  await once(program, 'exit');
  await rm(data, { recursive: true });
}

async function linkOf(): Promise<string> {
  for await (const line of createInterface({ input: program.stderr })) {
    const found = /https?:\S+token=\S+/.exec(line)?.[0];
    if (found) {
      program.stderr.resume();
      return found;
    }
  }
  throw new Error('the program ended before it was ready');
}

async function takePictures(browser: Browser, link: string): Promise<void> {
  const alice = await enter(browser, link, 'alice', { width: 1180, height: 860 });
  const invitation = await invite(alice, 'bob');
  const bob = await enter(browser, invitation, 'bob', { width: 390, height: 780 });
  await say(alice, 'grant @bob deployer');

  await openRoom(alice, 'ops');
  await openRoom(bob, 'ops');
  await say(bob, 'anybody looking at the crash loop in payments?');
  await alert(link);
  await alice.getByText('KubePodCrashLooping').first().waitFor();
  await alice.getByRole('button', { name: 'Acknowledge' }).first().click();
  await alice.getByText('acknowledged', { exact: false }).first().waitFor();
  await say(alice, 'I am on it, going back to v2');
  await say(alice, 'shipmate deploy hello v2 to production');
  await alice.getByText('is live in production').first().waitFor();
  await settle(alice);
  await alice.screenshot({ path: join(root, 'docs/images/chat-light.png') });

  await alice.emulateMedia({ colorScheme: 'dark' });
  await openConversation(alice);
  await say(alice, 'what do I do when KubePodCrashLooping fires?');
  await alice.getByText('First five minutes').first().waitFor();
  await settle(alice);
  await alice.screenshot({ path: join(root, 'docs/images/chat-dark.png') });

  await openRoom(bob, 'ops');
  await settle(bob);
  await bob.screenshot({ path: join(root, 'docs/images/chat-phone.png') });
}

async function enter(browser: Browser, link: string, name: string, viewport: { width: number; height: number }): Promise<Page> {
  const context = await browser.newContext({ viewport, colorScheme: 'light', deviceScaleFactor: 1.5 });
  const page = await context.newPage();
  await page.goto(link);
  const box = page.getByRole('textbox').first();
  await box.waitFor();
  await box.fill(name);
  await page.keyboard.press('Enter');
  await page.getByText('Hello, I am shipmate').first().waitFor();
  return page;
}

async function invite(page: Page, name: string): Promise<string> {
  await say(page, `invite ${name}`);
  const shown = page.getByText('/web/join/').last();
  await shown.waitFor();
  const found = /https?:\S+\/web\/join\/[\w-]+/.exec((await shown.textContent()) ?? '');
  if (!found) throw new Error('no invitation');
  return found[0];
}

async function say(page: Page, text: string): Promise<void> {
  const box = page.locator('textarea').first();
  await box.fill(text);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await page.getByText(text.slice(0, 30)).last().waitFor();
}

async function openRoom(page: Page, name: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`/room/${name}`)}`);
  await page.getByRole('heading', { name }).first().waitFor();
}

async function openConversation(page: Page): Promise<void> {
  await page.getByRole('navigation').getByText('Shipmate', { exact: true }).last().click();
}

async function alert(link: string): Promise<void> {
  const labels = { alertname: 'KubePodCrashLooping', severity: 'critical', namespace: 'payments', pod: 'api-7c9f6' };
  const response = await fetch(new URL('/hooks/alertmanager', link), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: 'Bearer pictures-pictures' },
    body: JSON.stringify({
      version: '4',
      groupKey: '{}:{alertname="KubePodCrashLooping"}',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'shipmate',
      groupLabels: { alertname: labels.alertname },
      commonLabels: labels,
      commonAnnotations: {},
      externalURL: 'http://alertmanager.example',
      alerts: [
        {
          status: 'firing',
          labels,
          annotations: { summary: 'Pod payments/api-7c9f6 restarts every two minutes' },
          startsAt: new Date().toISOString(),
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: 'http://prometheus.example/graph',
          fingerprint: 'c0ffee',
        },
      ],
    }),
  });
  if (response.status !== 202) throw new Error(`the alert was answered ${response.status}`);
}

/** Waits until fonts, pictures and the last frame are there. */
async function settle(page: Page): Promise<void> {
  await page.mouse.move(5, 5);
  await page.evaluate('document.fonts.ready.then(() => true)');
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(400);
}
