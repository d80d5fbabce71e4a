/** The program as it ships, in a real browser: the four things of the greeting, by pressing and by typing. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Browser, Locator, Page } from 'playwright-core';
import { complaintsOf, launchChromium, needsChromium } from '../support/browser.ts';
import { alert, notification, type Program, start } from '../support/program.ts';

describe('the program in Chromium', function () {
  this.timeout(60_000);
  let browser: Browser;
  let program: Program;
  let page: Page;
  let data: string;
  const complaints: string[] = [];

  before(async function () {
    needsChromium(this);
    data = await mkdtemp(join(tmpdir(), 'shipmate-web-'));
    program = await start({ data });
    browser = await launchChromium();
    page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    page.setDefaultTimeout(15_000);
    complaintsOf(page, complaints);
    await page.goto(program.link);
    await page.getByLabel('Your name').fill('alice');
    await page.getByRole('button', { name: 'Enter the chat' }).click();
    await line().waitFor();
  });
  after(async () => {
    await browser?.close();
    if (program) await program.end('SIGTERM');
    if (data !== undefined) await rm(data, { recursive: true, force: true });
  });
  afterEach(() => {
    expect(complaints.splice(0)).to.deep.equal([]);
  });

  function line(): Locator {
    return page.locator('main .composer-input');
  }

  async function say(text: string): Promise<void> {
    await line().fill(text);
    await line().press('Enter');
  }

  /** Cards with this in their title. */
  function card(title: string | RegExp): Locator {
    return page.locator('main .card').filter({ has: page.getByRole('heading', { name: title }) });
  }

  it('greets with what can be done', async () => {
    await page.locator('main .card').first().waitFor();
    const labels = await page.locator('main .card .action').allInnerTexts();
    expect(labels).to.have.length.of.at.least(4);
  });

  it('has a result for every button of the greeting, on a robot that nobody has talked to', async () => {
    const results: Record<string, () => Promise<unknown>> = {
      'Deploy hello': () =>
        card(/hello v2 is live in production/)
          .first()
          .waitFor(),
      'Send a test alert': () => page.locator('[data-room="ops"] .count').waitFor(),
      'Ask the runbooks': () =>
        page
          .getByRole('link', { name: /pod-crash-looping\.md/ })
          .first()
          .waitFor(),
      'Search the history': () =>
        card(/^History: 1 message$/)
          .filter({ hasText: 'secrets taken out' })
          .getByRole('link')
          .waitFor(),
      Help: () => page.locator('main', { hasText: 'whoami' }).waitFor(),
    };
    const buttons = page.locator('main .card').first().locator('.action');
    const labels = await buttons.allInnerTexts();
    expect(labels.map((label) => label.trim())).to.have.members(Object.keys(results));
    for (const [label, result] of Object.entries(results)) {
      await page.locator('main .card').first().getByRole('button', { name: label }).click();
      await result();
    }
    expect(await page.locator('main').innerText()).to.not.contain('nothing found');
  });

  it('deploys, by pressing and by typing; a failing release is a clear failure', async () => {
    await say('deploy hello v1 to production');
    await card(/hello v1 is live in production/).waitFor();
    await say('deploy hello v3-broken to production');
    await page.locator('main .card.tone-bad').waitFor();
    expect(await page.locator('main .card.tone-bad').innerText()).to.contain('v3-broken');
  });

  it('hears an alert: one card in the room, changed in place when somebody looks at it', async () => {
    // The test alert of the greeting.
    await page.locator('[data-room="ops"]').click();
    await card(/ShipmateTest/).waitFor();
    await card(/ShipmateTest/)
      .getByRole('button', { name: 'Acknowledge' })
      .click();
    await page.locator('main .pressed', { hasText: 'alerts ack' }).waitFor();
    await card(/ShipmateTest/)
      .filter({ hasText: 'alice' })
      .first()
      .waitFor();
    await page.locator('[data-room^="dm:"]').first().click();
    await page.getByText('Every line is for the robot').waitFor();
  });

  it('shows what a hostile alert says, and runs, links and mentions nothing of it', async () => {
    const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>[click](javascript:alert(3))';
    const firing = JSON.stringify(notification('Hostile', 'firing', new Date()));
    const spiked: object = JSON.parse(
      firing
        .replaceAll('"web-1"', JSON.stringify(hostile))
        .replaceAll('"Hostile on web-1"', JSON.stringify(`${hostile} ![i](https://evil.example.com/i.png) @alice`))
        .replaceAll('http://prometheus.example.com/graph', 'javascript:alert(4)'),
    );
    expect(await alert(program, spiked)).to.equal(202);
    await page.locator('[data-room="ops"]').click();
    const shown = card(/Hostile/).last();
    await shown.waitFor();
    expect(await shown.innerText())
      .to.contain('<img src=x onerror=alert(1)>')
      .and.contain('](javascript:alert(3))');
    expect(await shown.locator('img, script, iframe, .mention').count()).to.equal(0);
    const links = await page.locator('main a').evaluateAll((all) => all.map((a) => a.getAttribute('href') ?? ''));
    expect(links.filter((link) => /^\s*javascript:|evil\.example/i.test(link))).to.deep.equal([]);
    await page.locator('[data-room^="dm:"]').first().click();
    await page.getByText('Every line is for the robot').waitFor();
  });

  it('answers from the runbooks, without being told that it is a question', async () => {
    await say('what do I do when KubePodCrashLooping fires?');
    await page
      .getByRole('link', { name: /pod-crash-looping\.md/ })
      .first()
      .waitFor();
  });

  it('remembers: history search finds what was said, with a link to it', async () => {
    await say('history search KubePodCrashLooping');
    await card(/^History/)
      .last()
      .getByRole('link')
      .first()
      .click();
    await page.locator('main .found').waitFor();
  });

  it('invites a second person, who comes in by the link', async () => {
    await page.goto(`${program.url}/#/room/dm%3A1`);
    await say('invite bob');
    const link = page.getByRole('link', { name: /\/web\/join\// }).last();
    await link.waitFor();
    const bob = await (await browser.newContext()).newPage();
    complaintsOf(bob, complaints);
    await bob.goto(await link.innerText());
    await bob.getByRole('button', { name: 'Enter the chat' }).click();
    await bob.locator('main .composer-input').waitFor();
    await bob.context().close();
  });
});
