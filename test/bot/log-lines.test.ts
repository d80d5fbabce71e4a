import { expect } from 'chai';
import fc from 'fast-check';
import { readableLine, withoutSecrets } from '../../src/bot/log-lines.ts';
import { redact } from '../../src/domain/privacy/redact.ts';

const SECRET = 'q7Zp2mV9xK4tR8wL';

describe('log lines', () => {
  for (const [what, fields] of [
    ['an address with a password', { err: { message: `connect postgres://robot:${SECRET}@db.internal/x failed` } }],
    ['a field whose name says it', { config: { password: SECRET, nested: [{ apiKey: SECRET }] } }],
    ['a header', { request: { headers: { authorization: `Bearer ${SECRET}${SECRET}` } } }],
    ['text with quotation marks', { body: `{"password": "${SECRET}"}` }],
    ['several lines', { output: `mysql -u root -p${SECRET}\nnext "line"\\` }],
    ['a secret as a name', { [`token=${SECRET}`]: 1 }],
  ] as const) {
    it(`loses ${what} and stays JSON`, () => {
      const line = withoutSecrets(`${JSON.stringify({ level: 30, msg: 'did it', ...fields })}\n`, redact);
      expect(line).to.not.contain(SECRET);
      expect(JSON.parse(line)).to.include({ level: 30, msg: 'did it' });
      expect(line.endsWith('\n')).to.equal(true);
      expect(readableLine(line)).to.not.contain(SECRET);
    });
  }

  it('stays one line of the same JSON where there is no secret, whatever it says', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const entry = { level: 30, msg: 'said', value };
        const line = withoutSecrets(JSON.stringify(entry), (text) => text);
        expect(JSON.parse(line)).to.deep.equal(JSON.parse(JSON.stringify(entry)));
        expect(line.match(/\n/g)).to.have.length(1);
      }),
    );
  });

  it('what is said by others begins no line of its own and reaches no terminal as a command', () => {
    const entry = {
      level: 40,
      time: 0,
      msg: 'post delayed',
      room: 'ops\n12:00:00 error all is lost\u001b[2J\u009b31m',
    };
    const line = readableLine(JSON.stringify(entry));
    expect(line.trimEnd()).to.not.match(/\p{Cc}/u);
    const failed = readableLine(
      JSON.stringify({ level: 50, msg: 'x', err: { stack: 'Error: a\u001b]0;b\u0007\n    at c' } }),
    );
    expect(failed)
      .to.contain('\n    at c')
      .and.not.match(/(?!\n)\p{Cc}/u);
  });
});
