import { expect } from 'chai';
import { servicesSchema } from '../../src/config/services.ts';
import { parseYaml } from '../../src/config/yaml.ts';

function read(environment: string, service = '') {
  return parseYaml(
    `environments: { production: ${environment} }
services: { hello: { ${service} target: { kind: command, folder: ., deploy: [x] } } }`,
    'services.yaml',
    servicesSchema,
  );
}

function afterwards(environment: string): unknown {
  const result = read(environment);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value.environments[0]?.afterwards;
}

describe('what follows a deployment, in config/services.yaml', () => {
  const none = { announce: [], watchMs: 600_000, rollbackOn: [], rollbackSeverity: [], alerts: [] };
  const table: [string, object | undefined][] = [
    ['{}', undefined],
    ['{ announce: ops }', { ...none, announce: ['ops'] }],
    ["{ announce: [ops, 'slack:ops', ops] }", { ...none, announce: ['ops', 'slack:ops'] }],
    ['{ watch: 15m }', { ...none, watchMs: 900_000 }],
    ['{ watch: off }', { ...none, watchMs: 0 }],
    ['{ watch: 0 }', { ...none, watchMs: 0 }],
    ['{ rollback_on: [failure], watch: 0 }', { ...none, watchMs: 0, rollbackOn: ['failure'] }],
    [
      '{ rollback_on: [alert, failure], rollback_severity: [page] }',
      { ...none, rollbackOn: ['alert', 'failure'], rollbackSeverity: ['page'] },
    ],
  ];
  for (const [source, expected] of table) it(source, () => expect(afterwards(source)).to.deep.equal(expected));

  it('matchers of a service', () => {
    const result = read('{}', `alerts: ['app=~"hello-.*"'],`);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const [matcher] = result.value.services[0]?.alerts ?? [];
    expect([matcher?.label, matcher?.test('hello-web'), matcher?.test('hello')]).to.deep.equal(['app', true, false]);
  });

  const bad: [string, string, string, RegExp][] = [
    ['a length that is none', '{ watch: long }', '', /watch.*a watch looks like 15m/],
    ['a watch of a week', '{ watch: 168h }', '', /a watch looks like 15m, up to 24h/],
    ['a room that is none', "{ announce: 'two words' }", '', /announce/],
    ['an occasion that is none', '{ rollback_on: [boredom] }', '', /rollback_on\.0/],
    ['alerts that are not watched', '{ watch: 0, rollback_on: [alert] }', '', /rollback_on.*without a watch/],
    ['a matcher that is none', '{ alerts: [x] }', '', /alerts\.0.*a matcher looks like/],
    ['no matcher', '{}', 'alerts: [],', /alerts.*at least one matcher/],
  ];
  for (const [what, environment, service, message] of bad) {
    it(`refuses ${what}`, () => {
      const result = read(environment, service);
      const problems = result.ok ? [] : result.problems.map(({ key, message: text }) => `${key}: ${text}`);
      expect(problems.join('\n')).to.match(message);
    });
  }
});
