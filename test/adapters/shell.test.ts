import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import pino from 'pino';
import { terminalText } from '../../src/adapters/chat/shell/ansi.ts';
import { ShellChat, type ShellOptions } from '../../src/adapters/chat/shell/shell.ts';
import { columns, visible } from '../../src/adapters/chat/shell/visible.ts';
import { card, mention, plain } from '../../src/bot/card.ts';
import { Robot } from '../../src/bot/robot.ts';

const deploy = card({
  title: 'Deploy hello v2',
  tone: 'good',
  text: 'took **12 s**',
  fields: [{ name: 'By', value: 'alice' }],
  actions: [{ label: 'Roll back', command: 'rollback hello' }],
  footer: 'production',
});

describe('terminalText', () => {
  it('shows a card with its buttons as the text to type', () => {
    expect(terminalText(deploy, false)).to.equal(
      ['✓ Deploy hello v2', 'took 12 s', 'By: alice', '  Roll back: rollback hello', 'production'].join('\n'),
    );
  });

  it('shows who speaks, what can be chosen, and mentions as names', () => {
    const options = [1, 2, 3, 4, 5, 6].map((n) => ({ label: `#${n}`, command: `alerts ack ${n}` }));
    const content = card({
      title: 'Alerts',
      text: `for ${mention({ id: 'slack:U012AB3CD', name: 'alice' })}`,
      speaker: { name: 'Security', icon: ':shield:' },
      choices: [{ label: 'Acknowledge…', options }],
    });
    expect(terminalText(content, false).split('\n')).to.deep.equal([
      'Security: Alerts',
      'for @alice',
      'Acknowledge…',
      ...[1, 2, 3, 4, 5].map((n) => `  #${n}: alerts ack ${n}`),
      '  and 1 more',
    ]);
  });

  it('has no escape sequence without colour, and only our own with it', () => {
    const evil = '\u001B[2J\u001B]0;title\u0007\u009B31mred\u007F\u202Etxt';
    const content = card({
      title: evil,
      text: plain(evil),
      fields: [{ name: evil, value: plain(evil) }],
      actions: [{ label: evil, command: evil }],
      footer: evil,
      choices: [{ label: evil, options: [{ label: evil, command: evil }] }],
      speaker: { name: evil },
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
    const control = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202E]/;
    expect(terminalText(content, false)).to.not.match(control);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
    expect(terminalText(content, true).replace(/\u001B\[\d+m/g, '')).to.not.match(control);
    expect(terminalText('**bold**', true)).to.equal('\u001B[1mbold\u001B[22m');
    expect(terminalText(plain('*a* [b](c) @here'), false)).to.equal('*a* [b](c) @here');
  });
});

describe('visible', () => {
  it('shows control characters instead of obeying them', () => {
    expect(visible('a\u001Bb\r\nc\td\u0085')).to.equal('a\u241Bb\nc\td\\u{85}');
  });
  it('counts columns', () => {
    expect(columns('\u001B[1mab\u001B[22m')).to.equal(2);
    expect(columns('日本')).to.equal(4);
    expect(columns('✅⚠️👩‍🚒')).to.equal(6);
    expect(columns('e\u0301\u2060x')).to.equal(2);
  });
});

class Terminal extends PassThrough {
  readonly isTTY: boolean;
  readonly columns = 80;
  seen = '';
  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
    this.setEncoding('utf8');
    this.on('data', (chunk: string) => {
      this.seen += chunk;
      this.emit('seen');
    });
  }
  async until(text: string): Promise<void> {
    while (!this.seen.includes(text)) await new Promise((resolve) => this.once('seen', resolve));
  }
}

describe('ShellChat', () => {
  let robot: Robot;
  let shell: ShellChat;
  let input: PassThrough & { isTTY?: boolean };
  let output: Terminal;

  async function open(isTTY: boolean, options: Partial<ShellOptions> = {}): Promise<void> {
    robot = new Robot(null, false, 'shipmate', false, { logger: pino({ level: 'silent' }) });
    input = Object.assign(new PassThrough(), { isTTY });
    output = new Terminal(isTTY);
    shell = new ShellChat(robot, { input, output, colour: false, ...options });
    robot.addChat(shell);
    robot.respond(/slow (\w+)/, async (res) => {
      await new Promise((resolve) => setImmediate(resolve));
      await res.send(`did ${res.match[1]}`);
    });
    await robot.run();
  }

  afterEach(() => robot.shutdown());

  it('answers one line after the other from a pipe, and ends at the end of input', async () => {
    await open(false);
    input.end('slow one\n\r\n  slow two\r\nshipmate slow three');
    await shell.ended;
    expect(output.seen).to.equal('did one\ndid two\ndid three\n');
  });

  it('waits for what is posted later before it reads on', async () => {
    const order: string[] = [];
    await open(false, { flushed: async () => void order.push(`flushed after ${output.seen.length}`) });
    robot.pipeline.dispatch = async (_message, text) => {
      order.push(text);
      await shell.deliver({ nonce: '1', address: { chat: 'shell', room: 'shell' }, content: 'done' });
      return 'handled';
    };
    input.end('a\nb\n');
    await shell.ended;
    expect(order).to.deep.equal(['a', 'flushed after 5', 'b', 'flushed after 10']);
  });

  it('says who speaks, privately, to the robot', async () => {
    await open(false, { user: { id: 'me', name: 'Alice' } });
    const heard: unknown[] = [];
    robot.pipeline.dispatch = async (message, text) => {
      heard.push([text, robot.personOf(message), message.private, message.via]);
      return 'handled';
    };
    input.end('help\n');
    await shell.ended;
    expect(heard).to.deep.equal([['help', { id: 'shell:me', chat: 'shell', name: 'Alice' }, true, 'typed']]);
    expect(await shell.room('shell')).to.deep.include({ private: true, members: ['shell:me'] });
    expect(await shell.room('other')).to.equal(undefined);
  });

  it('prints only what is new when a message is updated in a pipe', async () => {
    await open(false);
    const delivery = { nonce: '1', address: { chat: 'shell', room: 'shell' } };
    const { messageId } = await shell.deliver({ ...delivery, content: 'a\nb' });
    expect(await shell.update({ ...delivery, content: 'a\nb\nc' }, messageId)).to.equal('updated');
    expect(await shell.update({ ...delivery, content: 'a\nb\nc' }, messageId)).to.equal('updated');
    expect(await shell.update({ ...delivery, content: 'x' }, '99')).to.equal('gone');
    expect(output.seen).to.equal('a\nb\nc\n');
  });

  it('neutralises what scripts send', async () => {
    await open(false);
    await shell.send({}, 'a\u001B[2Jb');
    expect(output.seen).to.equal('a\u241B[2Jb\n');
  });

  it('converses in a terminal, completes, rewrites a message in place and keeps a history', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shipmate-shell-'));
    const historyFile = join(folder, 'data', 'history');
    await open(true, { historyFile, complete: (line) => (line === 'slo' ? ['slow one'] : []) });
    shell.greet('hello there');
    await output.until('hello there\n');
    await output.until('shipmate> ');
    input.write('slo\t');
    await output.until('slow one');
    input.write('\r');
    await output.until('did one\n');
    const delivery = { nonce: '1', address: { chat: 'shell', room: 'shell' } };
    const { messageId } = await shell.deliver({ ...delivery, content: 'step 1' });
    output.seen = '';
    await shell.update({ ...delivery, content: 'step 2' }, messageId);
    expect(output.seen).to.include('\u001B[1A').and.include('step 2\n');
    input.write('exit\r');
    await shell.ended;
    await shell.send({}, 'after the end');
    robot.shutdown();
    expect(await readFile(historyFile, 'utf8')).to.include('slow one\n');
    await rm(folder, { recursive: true });
  });

  for (const [historySize, first, kept] of [
    [2, 'three', 'one\ntwo\nthree\nfour\n'],
    [0, '', ''],
  ] as const) {
    it(`remembers ${historySize} lines when told so`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'shipmate-shell-'));
      const historyFile = join(folder, 'history');
      await writeFile(historyFile, 'one\ntwo\nthree\n');
      await open(true, { historyFile, historySize });
      shell.greet('hello there');
      await output.until('shipmate> ');
      // Up three times: no further than what is remembered.
      output.seen = '';
      input.write('\u001B[A\u001B[A\u001B[A');
      await new Promise((resolve) => setImmediate(resolve));
      expect(output.seen.includes('three')).to.equal(first !== '');
      expect(output.seen).to.not.include('one');
      input.write('\u0015four\rexit\r');
      await shell.ended;
      expect((await readFile(historyFile, 'utf8')).replace('exit\n', '')).to.equal(kept);
      await rm(folder, { recursive: true });
    });
  }

  it('ends with the input in a terminal', async () => {
    await open(true);
    input.end();
    await shell.ended;
  });
});
