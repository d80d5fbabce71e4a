import { expect } from 'chai';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { card, mention } from '../../src/bot/card.ts';
import type { Database } from '../../src/storage/database.ts';
import { complaintsOf, launchChromium, needsChromium } from '../support/browser.ts';
import { testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startWeb, type Web } from '../support/web.ts';

const INJECTION = '<img src=x onerror=alert(1)><svg/onload=alert(2)>';

describe('web chat in Chromium', function () {
  this.timeout(30_000);
  let browser: Browser;
  let db: Database;
  let web: Web;
  const complaints: string[] = [];
  const pages: Page[] = [];

  before(async function () {
    needsChromium(this);
    db = await testDatabase();
    web = await startWeb(db);
    browser = await launchChromium();
  });
  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.context().close()));
    expect(complaints.splice(0)).to.deep.equal([]);
  });
  after(async () => {
    await browser?.close();
    await web?.close();
    await db?.close();
  });

  async function open(link: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    complaintsOf(page, complaints);
    pages.push(page);
    await page.goto(link);
    return page;
  }

  async function comeIn(name: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await open(web.link, options);
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', { name: 'Enter the chat' }).click();
    await line(page).waitFor();
    return page;
  }

  function line(page: Page): Locator {
    return page.locator('main .composer-input');
  }

  async function say(page: Page, text: string, where: Locator = line(page)): Promise<void> {
    await where.fill(text);
    await where.press('Enter');
  }

  async function goTo(page: Page, room: string): Promise<void> {
    await page.locator(`[data-room="${room}"]`).click();
    // On a phone the drawer that it stands in may be closed by then.
    await page.locator(`[data-room="${room}"][aria-current]`).waitFor({ state: 'attached' });
  }

  function message(page: Page, text: string): Locator {
    return page.locator('main .message:not(.pending)', { hasText: text });
  }

  async function overflow(page: Page): Promise<boolean> {
    return await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
  }

  it('takes the token out of the address, asks for a name, says what is wrong with one', async () => {
    const page = await open(web.link);
    expect(page.url()).to.equal(`${web.url}/`);
    await page.getByLabel('Your name').fill('shipmate');
    await page.getByRole('button', { name: 'Enter the chat' }).click();
    await page.getByText('The name shipmate is not for people.').waitFor();
    complaints.splice(0, 1); // Chromium reports the status 400 of the refusal.
    await page.getByLabel('Your name').fill('alice');
    await page.keyboard.press('Enter');
    await line(page).waitFor();
    await page.getByText('You and Shipmate').waitFor();
    await page.reload();
    await page.getByText('You and Shipmate').waitFor();
  });

  it('tells who has no session or a wrong link what to do', async () => {
    const page = await open(web.url);
    await page.getByText('You need a link to come in.').waitFor();
    await page.goto(`${web.url}/?token=wrong`);
    await page.getByText('This link is not valid.').waitFor();
    await page.goto(`${web.url}/web/join/wrong`);
    await page.getByText('This invitation is used up.').waitFor();
  });

  it('two people talk at once: messages, unread marks, presence, threads', async () => {
    const alice = await comeIn('alice');
    const bob = await comeIn('bob');
    await goTo(alice, 'ops');
    await say(alice, 'the **pump** is off');
    await bob.locator('[data-room="ops"] .count').waitFor();
    expect(await bob.locator('[data-room="ops"] .count').innerText()).to.match(/^1/);
    await eventually(async () => (await bob.title()).startsWith('(1)'));
    await goTo(bob, 'ops');
    await message(bob, 'the pump is off').locator('strong').waitFor();
    await bob.locator('.divider.new').waitFor();
    await bob.locator('[data-room="ops"] .count').waitFor({ state: 'detached' });

    await message(bob, 'the pump').hover();
    await message(bob, 'the pump').getByRole('button', { name: 'Reply in thread' }).click();
    await say(bob, 'I look at it', bob.locator('.panel .composer-input'));
    await bob.locator('.panel .message:not(.pending)', { hasText: 'I look at it' }).waitFor();
    await alice.getByRole('button', { name: '1 reply' }).click();
    await alice.locator('.panel .message', { hasText: 'I look at it' }).waitFor();
    expect(await message(alice, 'I look at it').count()).to.equal(0);

    await alice.locator('.nav-item', { hasText: 'bob' }).locator('.presence.online').waitFor();
    await alice.locator('.nav-item', { hasText: 'bob' }).click();
    await alice.getByText('You and bob').waitFor();
    await say(alice, 'between us');
    await bob.locator('.nav-item', { hasText: 'alice' }).locator('.count').waitFor();
    await bob.context().close();
    pages.splice(pages.indexOf(bob), 1);
    await alice.locator('.nav-item', { hasText: 'bob' }).locator('.presence:not(.online)').waitFor();
  });

  it('a button runs its command; the card changes in place; the robot is seen working', async () => {
    const alice = await comeIn('alice');
    const posted = await web.post(
      { room: 'web:1' },
      card({
        title: 'Try it',
        actions: [{ label: 'Deploy hello', command: 'deploy hello v2 to production', style: 'primary' }],
      }),
    );
    await alice.getByRole('button', { name: 'Deploy hello' }).click();
    await alice.locator('.pressed', { hasText: 'deploy hello v2 to production' }).waitFor();
    await alice.getByText('hello v2 is live in production').waitFor();
    expect(web.commands.at(-1)).to.deep.equal({
      person: 'web:1',
      text: 'deploy hello v2 to production',
      via: 'button',
    });
    await web.chat.update(
      { nonce: 'u', address: { chat: 'web', room: 'web:1' }, content: card({ title: 'Tried', tone: 'good' }) },
      posted,
    );
    await alice.getByRole('heading', { name: 'Tried' }).waitFor();
    expect(await alice.getByRole('heading', { name: 'Try it' }).count()).to.equal(0);
    await say(alice, 'wait');
    await alice.getByText('Shipmate is working…').waitFor();
    web.release();
    await alice.getByText('Ran wait').first().waitFor();
    await alice.getByText('Shipmate is working…').waitFor({ state: 'detached' });
  });

  it('runs one of many that is chosen, when it is said so; shows who speaks and who is meant', async () => {
    const alice = await comeIn('alice');
    await web.post(
      { room: 'web:1' },
      card({
        title: 'Choose one',
        text: `for ${mention({ id: 'web:1', name: 'alice' })}`,
        speaker: { name: 'Release', icon: ':ship:' },
        actions: [{ label: 'Not this', command: 'help' }],
        choices: [
          {
            label: 'Deploy…',
            options: ['v1', 'v2'].map((version) => ({ label: version, command: `deploy hello ${version} to staging` })),
          },
        ],
      }),
    );
    const shown = message(alice, 'Choose one');
    await shown.locator('.card-speaker', { hasText: 'Release' }).waitFor();
    await shown.locator('strong.mention', { hasText: '@alice' }).waitFor();
    const run = shown.getByRole('button', { name: 'Run' });
    expect(await run.isDisabled()).to.equal(true);
    await shown.getByRole('combobox', { name: 'Deploy…' }).selectOption('v2');
    expect(web.commands.some(({ text }) => text === 'deploy hello v2 to staging')).to.equal(false);
    await run.click();
    await alice.locator('.pressed', { hasText: 'deploy hello v2 to staging' }).waitFor();
  });

  it('completes commands as they are typed, and recalls what was sent', async () => {
    const alice = await comeIn('alice');
    const input = line(alice);
    await input.pressSequentially('al');
    await alice.getByRole('option', { name: 'alerts ack' }).waitFor();
    await input.press('ArrowDown');
    await input.press('ArrowDown');
    await input.press('Enter');
    expect(await input.inputValue()).to.equal('alerts ack ');
    await input.fill('');
    await input.pressSequentially('history search f');
    await alice.getByRole('option', { name: 'from:' }).first().waitFor();
    await input.press('Tab');
    expect(await input.inputValue()).to.equal('history search from:');
    await alice.getByRole('option', { name: 'from:@bob' }).waitFor();
    await input.press('Tab');
    expect(await input.inputValue()).to.equal('history search from:@bob ');
    await input.fill('');
    await goTo(alice, 'ops');
    await input.pressSequentially('hel');
    await input.fill('');
    await input.pressSequentially('/hel');
    await alice.getByRole('option').waitFor();
    await input.press('Tab');
    expect(await input.inputValue()).to.equal('/help ');
    await input.press('Enter');
    await message(alice, 'Ran help').first().waitFor();
    await input.press('ArrowUp');
    expect(await input.inputValue()).to.equal('/help');
    await input.press('ArrowDown');
    expect(await input.inputValue()).to.equal('');
  });

  it('finds a message and jumps to it; a link opens it, in its thread', async () => {
    const alice = await comeIn('alice');
    const id = await web.post({ room: 'general' }, 'the word is bowsprit');
    for (let i = 0; i < 70; i++) await web.post({ room: 'general' }, `filler ${i}\n\nsecond line`);
    const root = await web.post({ room: 'general' }, 'a root');
    const reply = await web.post({ room: 'general', thread: root }, 'a hidden reply');
    await goTo(alice, 'general');
    await message(alice, 'a root').waitFor();
    expect(await message(alice, 'bowsprit').count()).to.equal(0);
    await alice.keyboard.press('Control+Shift+F');
    await alice.keyboard.type('bowsprit');
    await alice.locator('.hit').click();
    await alice.locator(`[data-id="${id}"].found`).waitFor();
    expect(alice.url()).to.equal(`${web.url}/#/room/general/${id}`);
    await alice.getByRole('button', { name: 'To the newest' }).click();
    await message(alice, 'a root').waitFor();
    await alice.goto(`${web.url}/#/room/general/${reply}`);
    await alice.locator('.panel .message', { hasText: 'a hidden reply' }).waitFor();
  });

  it('loads earlier messages while scrolling up, without jumping', async () => {
    const alice = await comeIn('alice');
    await goTo(alice, 'general');
    await message(alice, 'filler 69').waitFor();
    const timeline = alice.locator('main .timeline');
    await timeline.hover();
    await eventually(async () => {
      await alice.mouse.wheel(0, -4000);
      return (await message(alice, 'bowsprit').count()) > 0;
    });
    const ids = await alice
      .locator('main [data-id]')
      .evaluateAll((found) => found.map((one) => Number(one.getAttribute('data-id'))));
    expect(ids).to.deep.equal([...new Set(ids)].sort((a, b) => a - b));
  });

  it('comes back after the server restarts, sends what was written meanwhile once, fetches what was missed', async () => {
    const alice = await comeIn('alice');
    const bob = await comeIn('bob');
    await goTo(alice, 'ops');
    await goTo(bob, 'ops');
    await say(alice, 'before the restart');
    await message(bob, 'before the restart').waitFor();
    const { port } = web;
    await web.close();
    await alice.getByText('The robot is not reachable.').waitFor();
    await say(alice, 'written while it was away');
    await alice.locator('.pending', { hasText: 'written while' }).waitFor();
    await bob.getByText('The robot is not reachable.').waitFor();
    web = await startWeb(db, { port });
    await web.post({ room: 'ops' }, 'said right after the start');
    await message(alice, 'written while it was away').waitFor({ timeout: 20_000 });
    await message(bob, 'written while it was away').waitFor({ timeout: 20_000 });
    await message(alice, 'said right after the start').waitFor();
    await alice.getByText('The robot is not reachable.').waitFor({ state: 'hidden' });
    expect(await alice.locator('.pending').count()).to.equal(0);
    const page = await web.messages.page({ chat: 'web', room: 'ops', limit: 100 });
    expect(page.filter(({ text }) => text === 'written while it was away')).to.have.length(1);
    expect(await message(alice, 'before the restart').count()).to.equal(1);
    complaints.splice(0); // Chromium reports every connection that was refused meanwhile.
  });

  it('shows what the server refuses, with a way to try again', async () => {
    const alice = await comeIn('alice');
    await goTo(alice, 'ops');
    const { record } = web.messages;
    web.messages.record = async () => {
      throw new Error('disk full');
    };
    await say(alice, 'not stored at first');
    await alice.getByText('The message could not be stored.').waitFor();
    web.messages.record = record;
    await alice.getByRole('button', { name: 'Try again' }).click();
    await message(alice, 'not stored at first').waitFor();
    expect(await alice.locator('.pending').count()).to.equal(0);
  });

  it('says how much too long a message is, and lets nobody write where there is no room', async () => {
    const alice = await comeIn('alice');
    await say(alice, 'x'.repeat(20_000));
    await alice
      .getByText(/\d+ characters too many/)
      .first()
      .waitFor();
    expect(await line(alice).inputValue()).to.have.length(20_000);
    await say(alice, 'short');
    await message(alice, 'short').first().waitFor();
    await alice.goto(`${web.url}/#/room/nowhere`);
    await alice.getByText('There is no such room').waitFor();
    expect(await line(alice).isVisible()).to.equal(false);
    await alice.getByRole('button', { name: 'To the conversation with the robot' }).click();
    await line(alice).waitFor();
  });

  it('sends what was typed too fast a little later, all of it, once', async () => {
    const alice = await comeIn('alice');
    await goTo(alice, 'general');
    for (let i = 0; i < 24; i++) await say(alice, `fast ${i} end`);
    await message(alice, 'fast 23 end').waitFor({ timeout: 20_000 });
    await alice.locator('.pending').first().waitFor({ state: 'detached', timeout: 20_000 });
    const page = await web.messages.page({ chat: 'web', room: 'general', limit: 100 });
    const fast = page.map(({ text }) => text).filter((text) => text.startsWith('fast '));
    expect(fast.sort()).to.deep.equal(Array.from({ length: 24 }, (_, i) => `fast ${i} end`).sort());
  });

  it('shows a long answer from its beginning, and keeps a long stay short', async () => {
    const alice = await comeIn('alice');
    await goTo(alice, 'general');
    await web.post({ room: 'general' }, card({ title: 'A long answer', text: 'a line\n\n'.repeat(60) }));
    const title = alice.getByRole('heading', { name: 'A long answer' });
    await title.waitFor();
    await eventually(
      async () => (await title.boundingBox())?.y,
      (y) => y !== undefined && y > 50 && y < 200,
    );
    await alice.getByRole('button', { name: 'To the newest' }).click();
    await alice.getByRole('button', { name: 'To the newest' }).waitFor({ state: 'hidden' });
    for (let i = 0; i < 620; i++) await web.post({ room: 'general' }, `stay ${i}`);
    await message(alice, 'stay 619').waitFor();
    expect(await alice.locator('main [data-id]').count()).to.be.below(605);
  });

  it('shows markup of people, cards and the robot as text', async () => {
    const alice = await comeIn('alice');
    await goTo(alice, 'ops');
    await say(alice, `${INJECTION} javascript:alert(3) [x](javascript:alert(4)) ![p](https://evil.example/p.png)`);
    await message(alice, 'onerror').first().waitFor();
    await web.post(
      { room: 'ops' },
      card({
        title: INJECTION,
        text: INJECTION,
        fields: [{ name: INJECTION, value: INJECTION }],
        actions: [{ label: INJECTION, command: INJECTION }],
        image: { url: 'https://evil.example/p.png', alt: INJECTION },
        footer: `the end ${INJECTION}`,
      }),
    );
    await message(alice, 'the end').waitFor();
    const planted = await alice
      .locator('main img, main svg[onload], main [onerror], main a[href^="javascript"]')
      .count();
    expect(planted).to.equal(0);
    await alice.keyboard.press('Control+Shift+F');
    await alice.keyboard.type('onerror');
    await alice.locator('.hit').first().waitFor();
    expect(await alice.locator('.panel img').count()).to.equal(0);
  });

  it('makes, finds and leaves rooms from the keyboard', async () => {
    const alice = await comeIn('alice');
    await alice.keyboard.press('Control+k');
    await alice.keyboard.type('browse');
    await alice.keyboard.press('Enter');
    const name = alice.getByLabel('Name of the new room');
    await name.fill('Not a name!');
    await name.press('Enter');
    await alice.getByText('A room name has 1 to 40 small letters').waitFor();
    await name.fill('harbour');
    await name.press('Enter');
    await alice.getByRole('heading', { name: '#harbour' }).waitFor();
    await alice.keyboard.press('Control+k');
    await alice.keyboard.type('gen');
    await alice.keyboard.press('Enter');
    await alice.locator('[data-room="general"][aria-current]').waitFor();
    await alice.keyboard.press('Alt+ArrowDown');
    await alice.locator('[data-room="harbour"][aria-current]').waitFor();
    await alice.getByRole('button', { name: 'Leave this room' }).click();
    await alice.locator('[data-room="harbour"]').waitFor({ state: 'detached' });
    await alice.goto(`${web.url}/#/room/harbour`);
    await alice.getByRole('button', { name: 'Join the room' }).click();
    await line(alice).waitFor();
    await alice.keyboard.press('Control+/');
    await alice.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await alice.keyboard.press('Escape');
    await alice.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('is dark or light as the system is, or as chosen; the choice stays', async () => {
    const alice = await comeIn('alice', { colorScheme: 'dark' });
    const background = () => alice.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(await background()).to.equal('rgb(22, 24, 28)');
    await alice.locator('.me-button').click();
    await alice.getByRole('radio', { name: 'Light' }).click();
    expect(await background()).to.equal('rgb(255, 255, 255)');
    await alice.reload();
    await line(alice).waitFor();
    expect(await background()).to.equal('rgb(255, 255, 255)');
  });

  it('fits a phone: rooms in a drawer, nothing wider than the screen', async () => {
    const alice = await comeIn('alice', { viewport: { width: 360, height: 700 }, hasTouch: true, isMobile: true });
    expect(await overflow(alice)).to.equal(false);
    await alice.getByRole('button', { name: 'Rooms and people' }).click();
    await goTo(alice, 'ops');
    await alice.locator('.frame:not(.drawer)').waitFor();
    await message(alice, 'the end').waitFor();
    expect(await overflow(alice)).to.equal(false);
    await alice.getByRole('button', { name: 'Search messages' }).click();
    await alice.getByRole('searchbox').waitFor();
    expect(await overflow(alice)).to.equal(false);
  });

  it('lets an invited person in, and out again', async () => {
    const invited = await web.chat.invite('erin', 'web:1');
    if (invited.kind !== 'invited') throw new Error('not invited');
    const erin = await open(invited.link);
    expect(await erin.getByLabel('Your name').inputValue()).to.equal('erin');
    await erin.getByRole('button', { name: 'Enter the chat' }).click();
    await line(erin).waitFor();
    await erin.locator('.me-button').click();
    await erin.getByRole('menuitem', { name: 'Sign out' }).click();
    await erin.getByText('You are signed out.').waitFor();
  });
});
