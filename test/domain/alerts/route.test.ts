import { expect } from 'chai';
import { type AlertsConfig, parseMatcher } from '../../../src/domain/alerts/config.ts';
import { roomsOf, route } from '../../../src/domain/alerts/route.ts';

const compile = (pattern: string) => (value: string) => new RegExp(`^(?:${pattern})$`).test(value);

describe('alerts: matchers', () => {
  const table: readonly [string, string, boolean][] = [
    ['a="x"', 'x', true],
    ['a="x"', 'xx', false],
    ['a=x y', 'x y', true],
    ['a=""', '', true],
    ['a=', '', true],
    ['a!="x"', 'y', true],
    ['a!="x"', '', true],
    ['a!="x"', 'x', false],
    ['a=~"pay.*"', 'payments', true],
    ['a=~"pay"', 'payments', false],
    ['a!~"dev|test"', 'test', false],
    ['a!~"dev|test"', 'testing', true],
    [' a =~ "x\\\\d" ', 'x1', true],
    ['a="say \\"hi\\""', 'say "hi"', true],
    ['"a"="x"', 'x', true],
  ];
  for (const [text, value, expected] of table) {
    it(`${text} ${expected ? 'takes' : 'leaves'} ${JSON.stringify(value)}`, () => {
      const matcher = parseMatcher(text, compile);
      expect(matcher.label).to.equal('a');
      expect(matcher.test(value)).to.equal(expected);
    });
  }

  for (const text of [
    '',
    'a',
    '="x"',
    'a=="x"',
    'a="x',
    'a="x" b="y"',
    '{a="x"}',
    'a=~x"y',
    'a b="x"',
    `a="${'x'.repeat(1000)}"`,
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      expect(() => parseMatcher(text, compile)).to.throw(/matcher/);
    });
  }

  it('reads thousands of quotes and backslashes without delay', () => {
    expect(() => parseMatcher(`a="${'\\"'.repeat(490)}`, compile)).to.throw(/matcher/);
  });
});

describe('alerts: routes', () => {
  const on = (text: string, room: string, more = false) => ({
    matchers: [parseMatcher(text, compile)],
    room,
    continue: more,
  });
  const config: AlertsConfig = {
    room: 'ops',
    routes: [
      on('severity="critical"', 'page', true),
      on('team=~"pay.*"', 'payments'),
      on('severity="critical"', 'never'),
      on('constructor=~".+"', 'trap'),
    ],
  };
  const table: readonly [Record<string, string>, readonly string[]][] = [
    [{}, ['ops']],
    [{ severity: 'warning' }, ['ops']],
    [{ team: 'payments' }, ['payments']],
    [{ team: 'payments', severity: 'critical' }, ['page', 'payments']],
    [{ severity: 'critical' }, ['page', 'never']],
  ];
  for (const [labels, rooms] of table) {
    it(`${JSON.stringify(labels)} goes to ${rooms.join(', ')}`, () =>
      expect(route(config, labels)).to.deep.equal(rooms));
  }

  it('knows every room', () => expect(roomsOf(config)).to.deep.equal(['ops', 'page', 'payments', 'never', 'trap']));
});
