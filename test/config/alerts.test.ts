import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { alertsSchema } from '../../src/config/alerts.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import { route } from '../../src/domain/alerts/route.ts';

const read = (text: string) => parseYaml(text, 'config/alerts.yaml', alertsSchema);

describe('config/alerts.yaml', () => {
  const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const shipped = file('test/fixtures/config/alerts.yaml');

  it('is valid as it stands in this project', () => {
    const result = read(file('config/alerts.yaml'));
    expect(result.ok ? [] : result.problems).to.deep.equal([]);
  });

  it('as shipped sends everything to ops', () => {
    const result = read(shipped);
    expect(result.ok && result.value).to.deep.equal({ room: 'ops', routes: [] });
  });

  it('works with its example switched on', () => {
    const example = shipped.replace(/^routes: \[\]$/m, '').replace(/^# (routes:|  )/gm, '$1');
    const result = read(example);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(route(result.value, { severity: 'critical', team: 'payments', env: 'production' })).to.deep.equal([
      'payments',
    ]);
    expect(route(result.value, { severity: 'critical', team: 'payments' })).to.deep.equal(['payments', 'general']);
    expect(route(result.value, { env: 'production' })).to.deep.equal(['ops']);
  });

  it('may be empty', () => {
    const result = read('');
    expect(result.ok && result.value.room).to.equal('ops');
  });

  it('says every problem, with its line', () => {
    const result = read(`room: ops
routes:
  - matchers: ['a=~"["']
    room: ops
  - matchers: ['severity']
    room: "a b"
  - matchers: []
    room: ops
  - matchers: ['a=~"(x{1,100}){1,100}"']
    rooms: ops
`);
    const problems = result.ok ? [] : result.problems;
    expect(problems.map((problem) => problem.line)).to.include.members([3, 5, 6, 7]);
    expect(problems.map((problem) => problem.message).join('\n'))
      .to.include('missing closing ]')
      .and.to.include('a matcher looks like')
      .and.to.include('invalid repeat count')
      .and.to.include('at least one matcher');
  });

  it('matches a hostile label in linear time', () => {
    const result = read(`routes: [{ matchers: ['a=~"(a+)+(b|c)+$"'], room: other }]`);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const before = process.hrtime.bigint();
    expect(route(result.value, { a: `${'a'.repeat(1000)}!` })).to.deep.equal(['ops']);
    expect(Number(process.hrtime.bigint() - before) / 1e6).to.be.below(1000);
  });
});
