import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { servicesSchema } from '../../src/config/services.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import { sampleServices } from '../support/deploys.ts';

const GOOD = `
environments: { staging: , production: { description: Live } }
services:
  web:
    target: { kind: command, deploy: [./deploy, '{version}'] }
`;

function problems(source: string): string[] {
  const result = parseYaml(source, 'config/services.yaml', servicesSchema);
  return result.ok ? [] : result.problems.map(({ key, message }) => `${key}: ${message}`);
}

describe('config/services.yaml', () => {
  it('is valid as it stands in this project', () => {
    expect(problems(readFileSync(new URL('../../config/services.yaml', import.meta.url), 'utf8'))).to.deep.equal([]);
  });

  it('describes the sample service', async () => {
    const { environments, services } = await sampleServices();
    expect(environments.map(({ name }) => name)).to.deep.equal(['staging', 'production']);
    expect(services).to.have.length(1);
    expect(services[0]).to.deep.include({ name: 'hello', environments: ['staging', 'production'] });
    expect(services[0]?.target).to.include({ kind: 'command', folder: 'examples/hello', timeoutMs: 120_000 });
  });

  it('runs a service everywhere unless told otherwise', () => {
    const result = parseYaml(GOOD, 'x', servicesSchema);
    expect(result.ok && result.value.services[0]?.environments).to.deep.equal(['staging', 'production']);
  });

  it('is valid when empty', () => expect(problems('')).to.deep.equal([]));

  const bad: [string, string, RegExp][] = [
    [
      'an unknown environment',
      GOOD.replace('target', 'environments: [stagign]\n    target'),
      /no environment stagign; allowed: staging, production/,
    ],
    [
      'an unknown environment of a Docker target',
      GOOD.replace(
        /target:.*/,
        "target: { kind: docker, image: 'web:{version}', environments: { stagign: { keep: 2 } } }",
      ),
      /target\.environments\.stagign: there is no environment stagign; allowed: staging, production/,
    ],
    ['a reserved name', GOOD.replace('web:', 'log:'), /services\.log/],
    ['a name that is an option', GOOD.replace('web:', '-x:'), /services\.-x/],
    ['an unknown key', GOOD.replace('kind:', 'shell: true, kind:'), /services\.web\.target/],
    [
      'a line for a shell',
      GOOD.replace("[./deploy, '{version}']", '"./deploy {version}"'),
      /services\.web\.target\.deploy/,
    ],
    ['an empty program', GOOD.replace("[./deploy, '{version}']", '[]'), /name a program/],
    ['a strange duration', GOOD.replace('kind:', 'timeout: soon, kind:'), /30s, 2m or 1h/],
    ['an unknown kind of target', GOOD.replace('command', 'ftp'), /services\.web\.target\.kind/],
  ];
  for (const [what, source, message] of bad)
    it(`refuses ${what}`, () => expect(problems(source).join('\n')).to.match(message));
});
