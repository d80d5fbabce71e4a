import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Adapter, TextMessage, User } from 'hubot';
import pino from 'pino';
import { AdapterProblem } from '../../src/adapters/chat/text/load-adapter.ts';
import { markdownText } from '../../src/adapters/chat/text/markdown-text.ts';
import { loadTextChat, type TextChat } from '../../src/adapters/chat/text/text.ts';
import { card, codeBlock, plain } from '../../src/bot/card.ts';
import { DeliveryDelayed } from '../../src/bot/chat.ts';
import { Robot } from '../../src/bot/robot.ts';

describe('markdownText', () => {
  const cases: [string, string][] = [
    ['**bold** _soft_ `code` ~~gone~~', 'bold soft code gone'],
    ['[text](https://x.example/a) <https://y.example>', 'text (https://x.example/a) https://y.example'],
    ['![graph](https://x.example/g.png)', 'graph (https://x.example/g.png)'],
    ['# Head\ntext', 'Head\n\ntext'],
    ['- a\n- b\n  - c\n\n3. x\n4. y', '- a\n- b\n  - c\n\n3. x\n4. y'],
    ['> said\n> twice', '> said\n> twice'],
    [codeBlock('a  b\n  c ```'), 'a  b\n  c ```'],
    ['| a | b |\n|---|---|\n| 1 | 2 |', 'a  |  b\n1  |  2'],
    ['<b>x</b>', '<b>x</b>'],
    [plain('1. *a* [b](c) # d'), '1. *a* [b](c) # d'],
  ];
  for (const [markdown, text] of cases) {
    it(`shows ${JSON.stringify(markdown)}`, () => expect(markdownText(markdown)).to.equal(text));
  }
});

const ADAPTER = `
import { Adapter, TextMessage } from 'hubot';
class Plain extends Adapter {
  sent = [];
  name = 'plain';
  async send(envelope, ...strings) { if (this.down) throw new Error('down'); this.sent.push([envelope.room, ...strings]); }
  async reply(envelope, ...strings) { return this.send(envelope, ...strings.map((text) => envelope.user.name + ': ' + text)); }
  async run() { this.emit('connected'); }
  hears(user, text) { return this.robot.receive(new TextMessage(user, text, '1')); }
}
export default { use: (robot) => new Plain(robot) };
`;

/** Loads an adapter where CoffeeScript is not installed, and prints the problem. */
const WITHOUT_COFFEE = (file: string) => `
import { registerHooks } from 'node:module';
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('coffeescript')) throw new Error('Cannot find module ' + specifier);
    return next(specifier, context);
  },
});
const { findHubotAdapter } = await import(${JSON.stringify(new URL('../../src/adapters/chat/text/load-adapter.ts', import.meta.url).href)});
await findHubotAdapter({ adapter: 'x', file: ${JSON.stringify(file)} }).catch((error) => console.log(error.message, error.next));
`;

describe('TextChat', () => {
  let folder: string;
  let robot: Robot;
  let chat: TextChat;
  let inner: Adapter & { sent: string[][]; down?: boolean; hears(user: User, text: string): Promise<void> };

  function isPlain(adapter: Adapter): adapter is typeof inner {
    return 'sent' in adapter && 'hears' in adapter;
  }

  before(async () => {
    folder = await mkdtemp(fileURLToPath(new URL('./tmp-', import.meta.url)));
    await writeFile(join(folder, 'plain.mjs'), ADAPTER);
  });
  after(() => rm(folder, { recursive: true }));

  beforeEach(async () => {
    robot = new Robot(null, false, 'shipmate', '!', { logger: pino({ level: 'silent' }) });
    chat = await loadTextChat(robot, { adapter: 'hubot-plain', file: join(folder, 'plain.mjs'), publicRooms: ['ops'] });
    robot.addChat(chat);
    if (isPlain(chat.hubotAdapter)) inner = chat.hubotAdapter;
    await robot.run();
  });
  afterEach(() => robot.shutdown());

  const address = { chat: 'plain', room: 'ops' };

  it('is known by the name of the adapter, and scripts find the adapter itself', () => {
    expect(chat.chat).to.equal('plain');
    expect(robot.adapter).to.equal(inner);
    expect(robot.adapterName).to.equal('plain');
  });

  it('shows cards and Markdown as text, with buttons as the text to type', async () => {
    const shown = card({
      title: 'Disk full',
      tone: 'bad',
      text: 'on **db1**',
      actions: [{ label: 'Ack', command: 'alerts ack 3' }],
    });
    await chat.deliver({ nonce: '1', address, content: shown });
    expect(inner.sent).to.deep.equal([['ops', '✗ Disk full\non db1\nAck: shipmate alerts ack 3']]);
  });

  it('posts an update anew, once', async () => {
    const { messageId } = await chat.deliver({ nonce: '1', address, content: 'one' });
    expect(await chat.update({ nonce: '2', address, content: 'one' }, messageId)).to.equal('updated');
    expect(await chat.update({ nonce: '3', address, content: 'two' }, messageId)).to.equal('updated');
    expect(inner.sent).to.deep.equal([
      ['ops', 'one'],
      ['ops', 'two'],
    ]);
  });

  it('asks to be tried again when the adapter fails', async () => {
    inner.down = true;
    const outcome = await chat.deliver({ nonce: '1', address, content: 'x' }).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(DeliveryDelayed);
  });

  it('takes nobody for a person of another chat, also when a script says again what it heard', async () => {
    const ids: string[] = [];
    robot.receiveMiddleware(async ({ response: { message } }) => void ids.push(robot.personOf(message).id));
    const user = robot.brain.userForId('web:1', { name: 'eve', room: 'ops' });
    await inner.hears(user, 'hello');
    const again = new TextMessage(user, 'hello again', '2');
    await robot.receive(again);
    expect([...new Set(ids)]).to.deep.equal(['plain:web:1']);
  });

  it('marks what it hears, answers there, and takes rooms for private unless configured', async () => {
    const heard: unknown[] = [];
    robot.receiveMiddleware(async ({ response: { message } }) => {
      if (message instanceof TextMessage)
        heard.push([message.text, robot.personOf(message), message.room, message.private]);
    });
    robot.respond(/hi/, (res) => res.reply('hello'));
    await inner.hears(new User('U1', { name: 'alice', room: 'ops' }), 'shipmate hi');
    await inner.hears(new User('U2', { name: 'bob', room: 'dm' }), '!hi');
    const person = (id: string, name: string) => ({ id: `plain:${id}`, chat: 'plain', name });
    expect(heard).to.deep.equal([
      ['shipmate hi', person('U1', 'alice'), 'ops', false],
      ['!hi', person('U2', 'bob'), 'dm', true],
    ]);
    expect(inner.sent).to.deep.equal([
      ['ops', 'alice: hello'],
      ['dm', 'bob: hello'],
    ]);
    expect(await chat.room('ops')).to.deep.equal({ chat: 'plain', id: 'ops', name: 'ops', private: false });
    expect(await chat.room('dm')).to.deep.include({ private: true, members: ['plain:U2'] });
    expect(await chat.room('unheard')).to.deep.include({ private: true, members: [] });
  });

  it('loads CommonJS and CoffeeScript, from files and from packages', async () => {
    const commonJs = `const { Adapter } = require('hubot');
class Plain extends Adapter { async run() { this.emit('connected'); } }
exports.use = (robot) => new Plain(robot);
`;
    const coffee = `{Adapter} = require 'hubot'
class Plain extends Adapter
  run: -> @emit 'connected'
exports.use = (robot) -> new Plain robot
`;
    const folders = { 'hubot-old': ['main.cjs', commonJs], older: ['src/main.coffee', coffee] } as const;
    for (const [name, [main, text]] of Object.entries(folders)) {
      const path = join(folder, 'node_modules', name);
      await mkdir(dirname(join(path, main)), { recursive: true });
      await writeFile(join(path, 'package.json'), JSON.stringify({ name, main }));
      await writeFile(join(path, main), text);
    }
    await writeFile(join(folder, 'file.cjs'), commonJs);
    await writeFile(join(folder, 'file.coffee'), coffee);
    for (const source of [
      { adapter: 'old' },
      { adapter: 'older' },
      { adapter: 'x', file: 'file.cjs' },
      { adapter: 'y', file: 'file.coffee' },
    ]) {
      const loaded = await loadTextChat(robot, { ...source, root: folder });
      expect(loaded.hubotAdapter, JSON.stringify(source)).to.have.property('run').that.is.a('function');
    }
  });

  it('says what to install for CoffeeScript', async () => {
    const file = join(folder, 'without.coffee');
    await writeFile(file, "exports.use = -> throw new Error 'never'\n");
    const told = await new Promise<string>((resolve) =>
      execFile(process.execPath, ['--input-type=module', '-e', WITHOUT_COFFEE(file)], (_error, out) => resolve(out)),
    );
    expect(told).to.include('it is written in CoffeeScript').and.include('npm install coffeescript@2.7.0');
  });

  it('takes no module of Node for an adapter', async () => {
    const outcome = await loadTextChat(robot, { adapter: 'http' }).catch((error: unknown) => error);
    expect(outcome).to.have.property('message', 'there is no adapter http');
  });

  it('says what is wrong with an adapter', async () => {
    const bad = join(folder, 'bad.mjs');
    await writeFile(bad, 'export const x = 1');
    const outcomes = await Promise.all(
      [{ adapter: 'nowhere' }, { adapter: 'bad', file: bad }, { adapter: 'x', file: join(folder, 'none.mjs') }].map(
        (options) => loadTextChat(robot, options).catch((error: unknown) => error),
      ),
    );
    for (const outcome of outcomes) expect(outcome).to.be.instanceOf(AdapterProblem);
    expect(outcomes[0]).to.have.property('next', 'npm install hubot-nowhere');
    expect(outcomes[1]).to.have.property('message').that.includes('exports no function use');
  });
});
