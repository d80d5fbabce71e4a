import { expect } from 'chai';
import { type ArgContext, type ArgType, arg, parseDuration } from '../../src/bot/args.ts';

const context: ArgContext = {
  person: { id: 'web:1', chat: 'web', name: 'Alice' },
  room: 'general',
  names: {
    services: () => ['api', 'Hello'],
    environments: () => ['staging', 'production'],
    people: async () => [
      { id: 'web:1', chat: 'web', name: 'Alice' },
      { id: 'web:2', chat: 'web', name: 'bob' },
      { id: 'slack:U1', chat: 'slack', name: 'bob' },
      { id: 'slack:U2', chat: 'slack', name: 'carol' },
      { id: 'slack:U3', chat: 'slack', name: 'Carol' },
    ],
    rooms: async () => ['general', 'ops'],
  },
  now: new Date('2026-05-20T12:00:00Z'),
};

async function parse<T>(type: ArgType<T>, text: string): Promise<unknown> {
  const result = await type.parse(text, context);
  return result.ok ? result.value : { problem: result.problem, allowed: result.allowed };
}

describe('argument types', () => {
  it('word takes one, up to 200 characters', async () => {
    expect(await parse(arg.word(), 'v1.2')).to.equal('v1.2');
    expect(await parse(arg.word(), 'x'.repeat(201))).to.have.property('problem');
  });

  it('integer takes #12 and 1,000 and names its bounds', async () => {
    const type = arg.integer({ min: 1, max: 5000 });
    expect(await parse(type, '#12')).to.equal(12);
    expect(await parse(type, '1,000')).to.equal(1000);
    for (const bad of ['0', '5001', '1.5', 'x', '', '1e3', '99999999999999999999']) {
      expect(await parse(type, bad), bad).to.have.property('problem');
    }
    expect(type.schema(context.names)).to.include({ type: 'integer', minimum: 1, maximum: 5000 });
  });

  it('duration takes what people write', () => {
    for (const [text, value] of [
      ['90s', 90_000],
      ['1h30m', 5_400_000],
      ['2 hours', 7_200_000],
      ['1 day and 2 hours', 93_600_000],
      ['1.5h', 5_400_000],
      ['500ms', 500],
      ['2w', 1_209_600_000],
    ] as const) {
      expect(parseDuration(text), text).to.equal(value);
    }
    for (const bad of ['', 'soon', '5', 'h', '5 parsecs', '-5m']) expect(parseDuration(bad), bad).to.equal(undefined);
  });

  it('time takes a length of time, a date, and words', async () => {
    expect(await parse(arg.time(), '2d')).to.deep.equal(new Date('2026-05-18T12:00:00Z'));
    expect(await parse(arg.time({ direction: 'future' }), '2h')).to.deep.equal(new Date('2026-05-20T14:00:00Z'));
    expect(await parse(arg.time(), '2026-05-01T10:00:00Z')).to.deep.equal(new Date('2026-05-01T10:00:00Z'));
    expect(await parse(arg.time(), 'yesterday')).to.be.instanceOf(Date);
    expect(await parse(arg.time(), 'the cow of tomorrow')).to.have.property('allowed');
  });

  it('one of names what is allowed and forgives case', async () => {
    expect(await parse(arg.oneOf(['open', 'closed']), 'OPEN')).to.equal('open');
    expect(await parse(arg.oneOf(['open', 'closed']), 'x')).to.deep.include({ allowed: ['open', 'closed'] });
  });

  it('service, environment and room are those that exist', async () => {
    expect(await parse(arg.service(), 'hello')).to.equal('Hello');
    expect(await parse(arg.service(), 'web')).to.deep.equal({
      problem: 'there is no service `web`',
      allowed: ['api', 'Hello'],
    });
    expect(await parse(arg.environment(), 'production')).to.equal('production');
    expect(await parse(arg.environment(), 'prod')).to.deep.include({ allowed: ['staging', 'production'] });
    expect(await parse(arg.room(), '#ops')).to.equal('ops');
    expect(await parse(arg.room(), 'here')).to.equal('general');
  });

  it('a person is found by name here, by id anywhere, and never by guess', async () => {
    expect(await parse(arg.person(), '@Bob')).to.deep.include({ id: 'web:2' });
    expect(await parse(arg.person(), 'slack:U1')).to.deep.include({ id: 'slack:U1' });
    expect(await parse(arg.person(), 'me')).to.deep.include({ id: 'web:1' });
    expect(await parse(arg.person(), 'carol')).to.deep.equal({
      problem: 'several people are called `carol`',
      allowed: ['slack:U2', 'slack:U3'],
    });
    expect(await parse(arg.person(), 'dave')).to.have.property('problem');
  });

  it('people are offered by what means nobody else', async () => {
    const offered = await arg.person().values?.(context);
    expect(offered).to.include('@bob').and.include('slack:U2').and.include('slack:U3').and.not.include('@carol');
    for (const value of offered ?? []) expect(await parse(arg.person(), value), value).to.not.have.property('problem');
  });

  it('a wrong value is never shown as Markdown', async () => {
    const result = await parse(arg.service(), 'x` **boo**');
    expect(result).to.have.property('problem', "there is no service `x' **boo**`");
  });
});
