import { expect } from 'chai';
import { MAX_TEXT } from '../../../src/adapters/chat/web/schema.ts';
import { card } from '../../../src/bot/card.ts';
import { DeliveryDelayed, DeliveryRefused } from '../../../src/bot/chat.ts';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { failure } from '../../support/failure.ts';
import { startWeb, type Web, type WebTestOptions } from '../../support/web.ts';
import { Client, comeIn, connect, newId, person } from '../../support/web-client.ts';

const INJECTION = '<img src=x onerror=alert(1)><script>alert(2)</script>';

describe('web chat: conversation', () => {
  let db: Database;
  let web: Web;
  let alice: Client;
  let bob: Client;
  before(async function () {
    this.timeout(20_000);
    db = await testDatabase();
    web = await startWeb(db);
    alice = await person(web, 'alice');
    bob = await person(web, 'bob');
  });
  // All of it together is more than one person may say in so short a time.
  beforeEach(() => web.later(10_000));
  after(async () => {
    await web.close();
    await db.close();
  });

  it('stores before it acknowledges, shows to all in the room, gives to the robot, marks as handled', async () => {
    const id = await alice.say('ops', 'the pump is **off**');
    expect((await web.messages.get(id))?.text).to.equal('the pump is **off**');
    const shown = await bob.message('the pump is');
    expect(shown).to.deep.include({ id, room: 'ops', robot: false, html: '<p>the pump is <strong>off</strong></p>' });
    expect(shown).not.to.have.property('clientId');
    await eventually(async () => (await web.messages.get(id))?.handledAt);
    expect(web.heard).to.include('the pump is **off**');
    expect(web.commands.map(({ text }) => text)).not.to.include('the pump is **off**');
  });

  it('lets the robot hear a message once, also when marking it as handled fails at first', async () => {
    const { markHandled } = web.messages;
    let failures = 1;
    web.messages.markHandled = async (id) => {
      if (failures-- > 0) throw new Error('the database is away');
      await markHandled(id);
    };
    const id = await alice.say('ops', 'heard once');
    await eventually(async () => (await web.messages.get(id))?.handledAt);
    web.messages.markHandled = markHandled;
    expect(web.heard.filter((text) => text === 'heard once')).to.have.length(1);
  });

  it('stores a message once, however often it is sent', async () => {
    const id = newId();
    for (let i = 0; i < 3; i++) alice.send({ t: 'say', id, room: 'ops', text: 'only once please' });
    const acks = await eventually(
      () => alice.frames.filter((frame) => frame.t === 'ack' && frame.id === id),
      (found) => found.length === 3,
    );
    expect(new Set(acks.map((ack) => (ack.t === 'ack' ? ack.message : 0))).size).to.equal(1);
    const page = await web.messages.page({ chat: 'web', room: 'ops', limit: 50 });
    expect(page.filter(({ text }) => text === 'only once please')).to.have.length(1);
    expect(web.heard.filter((text) => text === 'only once please')).to.have.length(1);
  });

  it('gives the robot what is addressed to it: by name, by slash, and every line of the direct conversation', async () => {
    const direct = (await alice.frame('welcome')).robot.room;
    const before = web.commands.length;
    await alice.say('ops', 'shipmate help');
    await alice.say('ops', '@shipmate: help me');
    await alice.say('ops', '/deploy hello to staging');
    await alice.say(direct, 'help directly');
    await alice.say('ops', 'shipmates are nice');
    const got = await eventually(
      () => web.commands.slice(before).map(({ text }) => text),
      (texts) => texts.length === 4,
    );
    expect([...got].sort()).to.deep.equal(['deploy hello to staging', 'help', 'help directly', 'help me']);
  });

  it('shows that the robot works, and that it has ended', async () => {
    await alice.say('ops', '/wait');
    await bob.frame('working', ({ on, room }) => on && room === 'ops');
    const late = await person(web, 'late');
    await late.frame('working', ({ on, room }) => on && room === 'ops');
    web.release();
    await bob.message('Ran wait');
    await eventually(() => bob.frames.findLast((frame) => frame.t === 'working')?.on === false);
    await late.close();
  });

  describe('buttons', () => {
    it('run the command of the stored card as the person who pressed, once', async () => {
      const posted = card({ title: 'Buttons', actions: [{ label: 'Go', command: 'deploy hello to staging' }] });
      const message = Number(await web.post({ room: 'ops' }, posted));
      const id = newId();
      const before = web.commands.length;
      bob.send({ t: 'press', id, message, index: 0 });
      bob.send({ t: 'press', id, message, index: 0 });
      await bob.frame('ack', (ack) => ack.id === id);
      await bob.message('pressed');
      await eventually(() => web.commands.length > before);
      expect(web.commands.slice(before)).to.deep.equal([
        { person: 'web:2', text: 'deploy hello to staging', via: 'button' },
      ]);
    });

    it('run what is chosen, counted after the buttons', async () => {
      const option = (service: string) => ({ label: service, command: `deploy ${service} to staging` });
      const posted = card({
        title: 'Choose',
        speaker: { name: 'Release', icon: ':ship:' },
        actions: [{ label: 'Help', command: 'help' }],
        choices: [
          { label: 'Deploy…', options: [option('one'), option('two')] },
          { label: 'Again…', options: [option('three')] },
        ],
      });
      const message = Number(await web.post({ room: 'ops' }, posted));
      const shown = await eventually(() =>
        bob.frames.find((frame) => frame.t === 'message' && frame.message.id === message),
      );
      expect(shown?.t === 'message' && shown.message.card).to.deep.include({
        speaker: 'Release',
        choices: posted.choices,
      });
      const before = web.commands.length;
      for (const index of [2, 3]) {
        const id = newId();
        bob.send({ t: 'press', id, message, index });
        await bob.frame('ack', (ack) => ack.id === id);
      }
      await eventually(() => web.commands.length === before + 2);
      expect(web.commands.slice(before).map(({ text, via }) => `${via} ${text}`)).to.have.members([
        'button deploy two to staging',
        'button deploy three to staging',
      ]);
      const outside = newId();
      bob.send({ t: 'press', id: outside, message, index: 4 });
      await bob.frame('refused', (refused) => refused.id === outside);
    });

    it('are not pressed by saying so', async () => {
      const id = `press-${newId()}`;
      alice.send({ t: 'say', id, room: 'ops', text: 'deploy hello to nowhere' });
      const after = await alice.say('ops', 'after the trick');
      await eventually(async () => (await web.messages.get(after))?.handledAt);
      expect(web.commands.map(({ text }) => text)).to.not.include('deploy hello to nowhere');
    });

    it('take no command from the browser', async () => {
      const before = web.commands.length;
      const id = newId();
      bob.send({ t: 'press', id, message: 1, index: 0, command: 'grant @bob admin' });
      expect((await bob.frame('refused', (refused) => refused.id === id)).problem.next).to.be.a('string');
      expect(web.commands).to.have.length(before);
    });

    it('do nothing for messages of people, other buttons, and rooms of others', async () => {
      const said = await bob.say('ops', 'I look like a card');
      const secret = Number(
        await web.post({ room: 'web:2' }, card({ title: 'For bob', actions: [{ label: 'x', command: 'help' }] })),
      );
      for (const [message, index] of [
        [said, 0],
        [secret, 0],
        [999_999, 0],
      ] as const) {
        const id = newId();
        alice.send({ t: 'press', id, message, index });
        await alice.frame('refused', (refused) => refused.id === id);
      }
    });
  });

  describe('private conversations', () => {
    it('are seen and found by their members only', async () => {
      const mallory = await person(web, 'mallory');
      const { room } = await alice.ask({ t: 'direct', person: 'web:2' }, 'room');
      const id = await alice.say(room.id, 'the secret word is barnacle');
      await bob.message('barnacle');
      const attempts = [
        mallory.ask({ t: 'history', room: room.id }, 'history'),
        mallory.ask({ t: 'history', room: room.id, around: id }, 'history'),
        mallory.ask({ t: 'thread', room: room.id, message: id }, 'thread'),
        mallory.ask({ t: 'thread', room: 'ops', message: id }, 'thread'),
        mallory.ask({ t: 'join', room: room.id }, 'room'),
        mallory.ask({ t: 'history', room: 'dm:1' }, 'history'),
      ];
      for (const attempt of attempts) expect(String(await failure(attempt))).to.match(/no such/);
      const refused = newId();
      mallory.send({ t: 'say', id: refused, room: room.id, text: 'let me in' });
      await mallory.frame('refused', (frame) => frame.id === refused);
      expect((await mallory.ask({ t: 'search', query: 'secret word' }, 'hits')).hits).to.deep.equal([]);
      expect((await bob.ask({ t: 'search', query: 'barnacle' }, 'hits')).hits).to.have.length(1);
      const { rooms } = await mallory.ask({ t: 'browse' }, 'rooms');
      expect(rooms.map(({ id: room_ }) => room_)).not.to.include(room.id);
      expect(JSON.stringify(mallory.frames)).not.to.contain('barnacle');
      expect(web.heard, 'the robot is not in it').not.to.include('the secret word is barnacle');
      await mallory.close();
    });

    it('show a post for one person to that person alone', async () => {
      await web.post({ room: 'ops' }, 'only for bob: keelhaul', undefined, 'web:2');
      expect((await bob.message('keelhaul')).onlyYou).to.equal(true);
      await web.post({ room: 'ops' }, 'for all: anchor');
      await alice.message('anchor');
      expect(JSON.stringify(alice.frames)).not.to.contain('keelhaul');
      const page = await alice.ask({ t: 'history', room: 'ops' }, 'history');
      expect(JSON.stringify(page)).not.to.contain('keelhaul');
    });
  });

  it('counts what is unread for each person, on all devices, and forgets it when it is read', async () => {
    const { room } = await alice.ask({ t: 'create', name: '#Unread' }, 'room');
    await bob.ask({ t: 'join', room: room.id }, 'room');
    const last = await alice.say('unread', 'one');
    const cookie = await comeIn(web, 'bob');
    const device = await connect(web, cookie);
    expect((await device.frame('welcome')).rooms.find(({ id }) => id === 'unread')).to.deep.include({
      unread: 1,
      last,
    });
    bob.send({ t: 'read', room: 'unread', message: last });
    expect(await device.frame('read', (read) => read.room === 'unread')).to.deep.include({ read: last, unread: 0 });
    bob.send({ t: 'read', room: 'unread', message: 1 });
    await alice.say('unread', 'two');
    await device.message('two');
    const again = await connect(web, cookie);
    const unread = (await again.frame('welcome')).rooms.find(({ id }) => id === 'unread');
    expect(unread).to.deep.include({ unread: 1, read: last });
    await Promise.all([device.close(), again.close()]);
  });

  it('keeps threads apart and counts their replies', async () => {
    const root = await alice.say('ops', 'a question for the thread');
    const reply = await bob.say('ops', 'an answer', root);
    await bob.say('ops', 'a reply to the reply', reply);
    await alice.frame('changed', ({ message }) => message.id === root && message.replies === 2);
    const thread = await alice.ask({ t: 'thread', room: 'ops', message: root }, 'thread');
    expect(thread.messages.map(({ thread: of }) => of)).to.deep.equal([undefined, root, root]);
    const page = await alice.ask({ t: 'history', room: 'ops' }, 'history');
    expect(page.messages.find(({ id }) => id === reply)).to.equal(undefined);
    const jump = await alice.ask({ t: 'history', room: 'ops', around: reply }, 'history');
    expect(jump.thread).to.equal(root);
    const before = web.commands.length;
    await bob.say('ops', 'shipmate help', root);
    await eventually(() => web.commands.length > before);
    expect((await alice.message('Ran help')).robot).to.equal(true);
    await eventually(
      async () => (await alice.ask({ t: 'thread', room: 'ops', message: root }, 'thread')).messages.length === 5,
    );
  });

  it('pages through history and jumps into it', async () => {
    await alice.ask({ t: 'create', name: 'long' }, 'room');
    for (let i = 1; i <= 120; i++) await web.post({ room: 'long' }, `line ${i}`);
    const newest = await alice.ask({ t: 'history', room: 'long' }, 'history');
    expect(newest.messages).to.have.length(50);
    expect([newest.older, newest.newer]).to.deep.equal([true, false]);
    const first = newest.messages[0]?.id ?? 0;
    const older = await alice.ask({ t: 'history', room: 'long', before: first }, 'history');
    expect(older.messages.at(-1)?.id).to.equal(first - 1);
    const jump = await alice.ask({ t: 'history', room: 'long', around: (older.messages[0]?.id ?? 0) + 5 }, 'history');
    expect([jump.older, jump.newer]).to.deep.equal([true, true]);
    const after = await alice.ask({ t: 'history', room: 'long', after: jump.messages.at(-1)?.id }, 'history');
    expect(after.messages[0]?.id).to.equal((jump.messages.at(-1)?.id ?? 0) + 1);
  });

  it('refuses names that no room can have, and rooms that are there', async () => {
    for (const name of ['', '#', 'has space', 'dm:1', '../x', 'ä', '-x', 'a'.repeat(41)]) {
      expect(String(await failure(alice.ask({ t: 'create', name }, 'room'))), name).to.match(/room name/);
    }
    expect(String(await failure(alice.ask({ t: 'create', name: 'OPS' }, 'room')))).to.match(/already/);
  });

  it('is left and joined again; who is not in a room gets nothing of it', async () => {
    await bob.ask({ t: 'leave', room: 'general' }, 'room');
    await bob.frame('left', ({ room }) => room === 'general');
    await alice.say('general', 'bob is gone');
    expect(JSON.stringify(bob.frames)).not.to.contain('bob is gone');
    await bob.ask({ t: 'join', room: 'general' }, 'room');
    await alice.say('general', 'bob is back');
    await bob.message('bob is back');
  });

  it('completes commands', async () => {
    const { suggestions } = await alice.ask({ t: 'complete', text: 'alerts a' }, 'suggestions');
    expect(suggestions.map(({ text }) => text)).to.deep.equal(['alerts ack ']);
  });

  describe('posts of the robot', () => {
    it('appear once for one nonce, and change in place', async () => {
      const address = { chat: 'web', room: 'ops' };
      const first = await web.chat.deliver({ nonce: 'n1', address, content: 'deploying, step 1' });
      expect(await web.chat.deliver({ nonce: 'n1', address, content: 'deploying, step 1' })).to.deep.equal(first);
      await alice.message('step 1');
      const content = card({ title: 'Deployed', tone: 'good' });
      expect(await web.chat.update({ nonce: 'n2', address, content }, first.messageId)).to.equal('updated');
      const changed = await alice.frame('changed', ({ message }) => String(message.id) === first.messageId);
      expect(changed.message.card?.title).to.equal('Deployed');
      await web.messages.remove('web', 'ops', first.messageId);
      expect(await web.chat.update({ nonce: 'n3', address, content }, first.messageId)).to.equal('gone');
    });

    it('make a public room that nobody has made yet, with everybody in it', async () => {
      await web.post({ room: '#alerts' }, 'KubePodCrashLooping');
      await bob.message('KubePodCrashLooping');
      expect(await web.chat.room('alerts')).to.deep.equal({
        chat: 'web',
        id: 'alerts',
        name: 'alerts',
        private: false,
      });
      const newcomer = await person(web, 'newcomer');
      expect((await newcomer.frame('welcome')).rooms.map(({ id }) => id)).to.include('alerts');
      await newcomer.close();
    });

    it('are refused where there can be no room', async () => {
      for (const room of ['web:999', 'dm:999', 'dm:1:999', 'no such room']) {
        expect(await failure(web.post({ room }, 'x')), room).to.be.instanceOf(DeliveryRefused);
      }
    });

    it('are delayed while the database is away', async () => {
      const broken = { ...web.messages };
      const { chat } = web;
      const error = await failure(
        (async () => {
          const original = web.messages.room;
          web.messages.room = async () => {
            throw new Error('away');
          };
          try {
            await chat.deliver({ nonce: 'away', address: { chat: 'web', room: 'ops' }, content: 'x' });
          } finally {
            web.messages.room = original;
          }
        })(),
      );
      expect(error).to.be.instanceOf(DeliveryDelayed);
      expect(broken).to.have.property('record');
    });

    it('are those where a person and the robot are alone', async () => {
      const lonely = await person(web, 'lonely');
      const { room } = (await lonely.frame('welcome')).robot;
      const direct = await web.chat.direct({ id: room.replace('dm', 'web'), chat: 'web', name: 'lonely' });
      expect(direct).to.deep.equal({ chat: 'web', room });
      await lonely.close();
      expect(await web.chat.direct({ id: 'web:99999', chat: 'web', name: 'nobody' })).to.equal(undefined);
      expect(await web.chat.direct({ id: 'slack:U1', chat: 'slack', name: 'else' })).to.equal(undefined);
    });

    it('have links that the page understands', async () => {
      expect(web.chat.permalink({ chat: 'web', room: 'ops' }, '12')).to.equal(`${web.url}/#/room/ops/12`);
      expect(web.chat.permalink({ chat: 'web', room: 'web:1' }, '12')).to.equal(`${web.url}/#/room/dm%3A1/12`);
    });
  });

  describe('bad input', () => {
    it('is refused frame by frame, then by closing', async () => {
      const client = await person(web, 'clumsy');
      const id = newId();
      client.send({ t: 'say', id, room: 'ops', text: 'x', extra: 1 });
      expect((await client.frame('refused', (refused) => refused.id === id)).problem.next).to.contain('Reload');
      for (const text of [
        '{',
        '[]',
        'null',
        '{"t":"nothing"}',
        '{"t":"history","req":-1,"room":"ops"}',
        '"'.repeat(99),
      ]) {
        client.ws.send(text);
      }
      expect(await eventually(() => client.closed)).to.equal(1008);
    });

    it('a message that is too long is refused, and the connection stays', async () => {
      const id = newId();
      alice.send({ t: 'say', id, room: 'ops', text: 'x'.repeat(MAX_TEXT + 1) });
      expect((await alice.frame('refused', (refused) => refused.id === id)).problem.text).to.contain('12,000');
      await alice.say('ops', `${'y'.repeat(MAX_TEXT - 1)}z`);
    });

    it('an oversized or binary frame closes the connection', async () => {
      const huge = await person(web, 'huge');
      huge.ws.send('x'.repeat(70_000));
      expect(await eventually(() => huge.closed)).to.equal(1009);
      const binary = await person(web, 'binary');
      binary.ws.send(Buffer.from([1, 2, 3]));
      expect(await eventually(() => binary.closed)).to.equal(1003);
    });

    it('a browser that does not read is cut off, and nobody else notices', async () => {
      await web.post({ room: 'slow' }, 'a long line of text\n'.repeat(8000));
      const slow = await person(web, 'slow');
      await alice.frame('people', ({ people }) => people.some(({ name, online }) => name === 'slow' && online));
      slow.ws.pause();
      for (let i = 0; i < 75; i++) slow.send({ t: 'history', req: i + 100, room: 'slow' });
      await alice.frame('people', ({ people }) => people.some(({ name, online }) => name === 'slow' && !online));
      slow.ws.terminate();
      await alice.say('general', 'quick as ever');
      await bob.message('quick as ever');
    });

    it('a flood is slowed down, for that person only', async () => {
      const flood = await person(web, 'flood');
      // However slowly this machine takes them in: far more than the limit gives back in that time.
      for (let i = 0; i < 400; i++) flood.send({ t: 'say', id: newId(), room: 'general', text: `flood ${i}` });
      const refused = await flood.frame('refused');
      expect(refused.problem.text).to.contain('a lot at once');
      // Somebody who has said nothing yet: alice may be near her own limit.
      const calm = await person(web, 'calm');
      await calm.say('general', 'still here');
      await calm.close();
      await flood.close();
    });
  });

  it('renders text of people, names and cards without any of their markup', async () => {
    await alice.say('ops', `${INJECTION} [x](javascript:alert(3)) ![y](http://evil.example/p.png) <http://ok.example>`);
    const said = await bob.message('ok.example');
    expect(said.html).not.to.match(/<(?:img|script)|href="javascript/i);
    expect(said.html).to.contain('rel="noopener noreferrer"');
    await web.post(
      { room: 'ops' },
      card({
        title: INJECTION,
        text: INJECTION,
        fields: [{ name: INJECTION, value: INJECTION }],
        actions: [{ label: INJECTION, command: INJECTION }],
        image: { url: 'javascript:alert(4)', alt: INJECTION },
        file: { name: 'a.txt', path: '//evil.example/a.txt' },
        footer: `end ${INJECTION}`,
      }),
    );
    const shown = (await bob.message('end <img')).card;
    expect(shown?.html).to.contain('&lt;img');
    expect(shown?.fields[0]?.html).not.to.contain('<img');
    expect(shown?.image).to.deep.equal({ url: 'about:blank', alt: INJECTION });
    expect(shown).to.not.have.property('file');
    await web.post(
      { room: 'ops' },
      card({ title: 'log', footer: 'own file', file: { name: 'a.txt', path: '/a.txt' } }),
    );
    expect((await bob.message('own file')).card?.file).to.deep.equal({ name: 'a.txt', href: '/a.txt' });
  });
});

describe('web chat: restarts and replicas', () => {
  let db: Database;
  const running: Web[] = [];
  async function start(options: WebTestOptions): Promise<Web> {
    const web = await startWeb(db, options);
    running.push(web);
    return web;
  }
  before(async function () {
    this.timeout(20_000);
    db = await testDatabase();
  });
  after(async () => {
    await Promise.all(running.map((web) => web.close()));
    await db.close();
  });

  it('keeps sessions, and takes up what a lost replica did not finish', async () => {
    const first = await start({ replica: 'first' });
    const cookie = await comeIn(first, 'alice');
    const before = await connect(first, cookie);
    const id = await before.say('ops', '/wait');
    await eventually(() => first.commands.length === 1);
    const second = await start({ replica: 'second' });
    const claimed = await second.messages.claimUnhandledOf('first', 'second');
    expect(claimed.map((message) => message.id)).to.deep.equal([id]);
    second.release();
    const resumed = Promise.all(claimed.map((message) => second.chat.resume(message)));
    await eventually(() => second.commands.length === 1);
    second.release();
    await resumed;
    expect(second.commands).to.deep.equal([{ person: 'web:1', text: 'wait', via: 'typed' }]);
    expect((await second.messages.get(id))?.handledAt).to.be.instanceOf(Date);
    await first.close();
    expect(await eventually(() => before.closed)).to.equal(1012);
    const port = second.port;
    await second.close();
    const third = await start({ replica: 'third', port });
    // The cookie carries the port in its name: same port, same session.
    const value = cookie.split('=')[1];
    const after = await connect(third, `shipmate-${port}=${value}`);
    const { messages } = await after.ask({ t: 'history', room: 'ops' }, 'history');
    expect(messages.map((message) => message.id)).to.include(id);
    await third.close();
  });

  it('shows on one replica what was said on the other: messages, people, unread marks', async () => {
    const one = await start({ replica: 'one' });
    const two = await start({ replica: 'two' });
    const alice = await person(one, 'alice');
    const bob = await person(two, 'bob');
    await alice.frame('people', ({ people }) => people.some(({ name, online }) => name === 'bob' && online));
    await bob.frame('people', ({ people }) => people.some(({ name, online }) => name === 'alice' && online));
    const id = await alice.say('ops', 'across');
    expect((await bob.message('across')).id).to.equal(id);
    const elsewhere = await person(two, 'alice');
    alice.send({ t: 'read', room: 'ops', message: id });
    await elsewhere.frame('read', ({ room, unread }) => room === 'ops' && unread === 0);
    expect(one.heard.filter((text) => text === 'across')).to.have.length(1);
    expect(two.heard).not.to.include('across');
    await bob.close();
    await alice.frame('people', ({ people }) => people.some(({ name, online }) => name === 'bob' && !online));
    await one.close();
    await two.close();
  });
});
