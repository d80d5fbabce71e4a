import { expect } from 'chai';
import { readCommand } from '../../src/bot/api-command.ts';
import { Failure } from '../../src/bot/errors.ts';

function read(body: string | Buffer, type?: string, query = ''): ReturnType<typeof readCommand> {
  return readCommand(Buffer.from(body), type, new URLSearchParams(query));
}

function problem(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return `${error.code} ${error.text}`;
    throw error;
  }
  return 'none';
}

describe('a command over HTTP', () => {
  it('is text, as curl sends it, or JSON', () => {
    const plain = { text: 'deploy hello to staging', waitMs: 0, isSure: false };
    expect(read('deploy hello to staging\n')).to.deep.equal(plain);
    expect(read('deploy hello to staging', 'application/x-www-form-urlencoded')).to.deep.equal(plain);
    expect(read('{"command":"deploy hello to staging"}', 'application/json; charset=utf-8')).to.deep.equal(plain);
    expect(read('{"command":"x","wait":"30m","confirm":true}', 'application/json')).to.deep.equal({
      text: 'x',
      waitMs: 30 * 60_000,
      isSure: true,
    });
    expect(read('x', undefined, 'wait=2m&confirm=yes')).to.deep.equal({ text: 'x', waitMs: 120_000, isSure: true });
    expect(read('x', undefined, 'confirm=no').isSure).to.equal(false);
  });

  it('waits an hour at most', () => {
    expect(read('x', undefined, 'wait=7d').waitMs).to.equal(60 * 60_000);
  });

  it('says what is wrong with it', () => {
    const json = 'application/json';
    const table: [string | Buffer, string | undefined, RegExp][] = [
      ['', undefined, /no command/],
      [' \n', undefined, /no command/],
      [Buffer.from([0xff, 0xfe]), undefined, /not valid UTF/],
      ['{', json, /not valid JSON/],
      ['[]', json, /no JSON object/],
      ['null', json, /no JSON object/],
      ['{}', json, /command is no text/],
      ['{"command":1}', json, /command is no text/],
      ['{"command":"x","wait":5}', json, /wait is no text/],
      ['{"command":"x","wait":"soon"}', json, /wait is no length of time/],
      ['{"command":"x","confirm":"yes"}', json, /confirm is neither true nor false/],
      ['{"command":"x","force":true}', json, /field force/],
      [`${'['.repeat(100)}`, json, /nested/],
    ];
    for (const [body, type, words] of table) {
      const told = problem(() => read(body, type)).replaceAll('\\', '');
      expect(told, String(body))
        .to.match(words)
        .and.match(/^api\.body /);
    }
  });
});
