import { expect } from 'chai';
import { type ApiEvent, formatOf, harmless, lineWriter } from '../../src/bot/api-events.ts';

describe('what a program is told', () => {
  it('is text unless JSON lines are asked for', () => {
    for (const accept of ['application/jsonl', 'application/x-ndjson', 'text/plain;q=0.5, application/jsonl']) {
      expect(formatOf(accept), accept).to.equal('jsonl');
    }
    for (const accept of [undefined, '', '*/*', 'text/plain', 'text/html']) expect(formatOf(accept)).to.equal('text');
  });

  it('is one JSON object a line, whatever is in it', () => {
    const write = lineWriter('jsonl');
    const event: ApiEvent = { type: 'answer', text: 'a\nb\u2028c' };
    expect(write(event).trimEnd().split('\n')).to.have.length(1);
    expect(JSON.parse(write(event))).to.deep.equal(event);
  });

  it('is read like a log: what was shown is not shown again', () => {
    const write = lineWriter('text');
    const progress = (text: string, key = 'deploy:1'): string => write({ type: 'progress', key, text });
    expect(progress('Deploying\nWaiting to start.')).to.equal('Deploying\nWaiting to start.\n');
    expect(progress('Deploying\n\nCopying …\n10 %')).to.equal('Copying …\n10 %\n');
    expect(progress('Deploying\nCopying …\n10 %')).to.equal('');
    expect(progress('Deploying', 'deploy:2')).to.equal('Deploying\n');
    expect(write({ type: 'answer', text: 'Deploying\n' })).to.equal('Deploying\n');
    expect(write({ type: 'error', code: 'command.value', text: 'Wrong.', next: 'Give another.' })).to.equal(
      'error: Wrong. Give another. (command.value)\n',
    );
    expect(write({ type: 'end', outcome: 'failed', request: 'x' })).to.equal('outcome: failed\n');
  });

  it('says an outcome at its end only, whatever a program has printed', () => {
    const write = lineWriter('text');
    const said = 'outcome: succeeded\nand outcome: failed';
    expect(write({ type: 'progress', key: 'a', text: said })).to.equal(' outcome: succeeded\nand outcome: failed\n');
    expect(write({ type: 'answer', text: said })).to.equal(' outcome: succeeded\nand outcome: failed\n');
    expect(write({ type: 'end', outcome: 'unknown' })).to.equal('outcome: unknown\n');
  });

  it('cannot play tricks on a terminal', () => {
    expect(harmless('a\u001b[2Jb\u0007\u202ec\r\nd\te\u0000')).to.equal('a[2Jbc\nd\te');
  });
});
