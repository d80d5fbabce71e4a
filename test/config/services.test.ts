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

  it('knows where pipelines can be run again', () => {
    const read = (text: string): unknown => {
      const result = parseYaml(GOOD.replace('target', `${text}\n    target`), 'x', servicesSchema);
      return result.ok ? result.value.services[0]?.pipelines : result;
    };
    expect(read('repository: a/b\n    pipelines: {kind: github}')).to.deep.equal({
      kind: 'github',
      url: 'https://api.github.com',
      tokenFrom: 'GITHUB_TOKEN',
    });
    expect(
      read('repository: a/b\n    pipelines: {kind: gitlab, project: 12, known_as: git.example.com}'),
    ).to.deep.equal({
      kind: 'gitlab',
      url: 'https://gitlab.com',
      tokenFrom: 'GITLAB_TOKEN',
      project: '12',
      knownAs: 'git.example.com',
    });
    expect(read('pipelines: {kind: jenkins, url: "https://ci.x.y/j/", user: robot, jobs: [a/b]}')).to.deep.equal({
      kind: 'jenkins',
      url: 'https://ci.x.y/j',
      user: 'robot',
      tokenFrom: 'JENKINS_TOKEN',
      jobs: ['a/b'],
    });
  });

  it('knows whose pipelines belong to a service', () => {
    for (const name of ['acme/shop', 'acme/sub.group/shop_2']) {
      const result = parseYaml(GOOD.replace('target', `repository: ${name}\n    target`), 'x', servicesSchema);
      expect(result.ok && result.value.services[0]?.repository).to.equal(name);
    }
  });

  it('is valid when empty', () => expect(problems('')).to.deep.equal([]));

  it('reads rules and approval', () => {
    const rules = `environments: { staging: , production: { after: staging, windows: ['sat-mon,wed 22:00-02:00'],
      freezes: [{ from: 2026-12-18, to: '2026-12-31 12:00 America/New_York', reason: Holidays }],
      approval: { role: lead, count: 2, expires: 30m } }, moon: { approval: {} } }`;
    const result = parseYaml(rules, 'x', servicesSchema);
    expect(result.ok && result.value.environments).to.deep.equal([
      { name: 'staging' },
      {
        name: 'production',
        rules: {
          after: 'staging',
          windows: [{ days: [1, 3, 6, 7], from: 1320, to: 120, zone: 'UTC', text: 'sat-mon,wed 22:00-02:00' }],
          freezes: [
            {
              from: new Date('2026-12-18T00:00:00Z'),
              to: new Date('2026-12-31T17:00:00Z'),
              reason: 'Holidays',
              zone: 'America/New_York',
            },
          ],
        },
        approval: { needs: { role: 'lead' }, count: 2, expiresMs: 1_800_000 },
      },
      { name: 'moon', approval: { needs: { permission: 'deploy:approve:moon' }, count: 1, expiresMs: 3_600_000 } },
    ]);
  });

  const bad: [string, string, RegExp][] = [
    ...(
      [
        ['an unknown environment before', 'after: stagign', /no environment stagign; allowed: staging, production/],
        ['an environment after itself', 'after: production', /production comes after production: nothing/],
        ['a window without hours', 'windows: [mon]', /windows\.0.*a window looks like mon-thu 09:00-16:00/],
        ['a day that there is not', "windows: ['moon 09:00-16:00 UTC']", /a window looks like/],
        ['an hour that there is not', "windows: ['mon 09:00-25:00 UTC']", /a window looks like/],
        ['a zone that there is not', "windows: ['mon 09:00-16:00 Europe/Bonn']", /no time zone Europe\/Bonn/],
        ['an offset in place of a zone', "windows: ['mon 09:00-16:00 +02:00']", /no time zone \+02:00/],
        [
          'a date that there is not',
          'freezes: [{ from: 2026-02-30, to: 2026-03-01, reason: x }]',
          /freezes\.0\.from.*a moment looks like/,
        ],
        [
          'a freeze that ends first',
          'freezes: [{ from: 2026-03-02, to: 2026-03-01, reason: x }]',
          /ends before it begins/,
        ],
        [
          'a freeze without a reason',
          "freezes: [{ from: 2026-03-01, to: 2026-03-01, reason: '' }]",
          /freezes\.0\.reason/,
        ],
        ['an approval by nobody', 'approval: { count: 0 }', /approval\.count/],
        ['two kinds of approvers', "approval: { role: lead, permission: 'deploy:approve:x' }", /not both/],
      ] as const
    ).map(([what, yaml, message]): [string, string, RegExp] => [
      what,
      `environments: { staging: , production: { ${yaml} } }`,
      message,
    ]),
    [
      'environments that wait for each other',
      'environments: { staging: { after: production }, production: { after: staging } }',
      /staging comes after production comes after staging: nothing could ever/,
    ],
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
    ['an address of a repository', GOOD.replace('target', 'repository: https://x.y/a/b\n    target'), /owner\/name/],
    ['pipelines of nobody', GOOD.replace('target', 'pipelines: {kind: github}\n    target'), /repository: owner\/name/],
    [
      'pipelines behind no TLS',
      GOOD.replace('target', 'repository: a/b\n    pipelines: {kind: gitlab, url: "http://x.y"}\n    target'),
      /https:\/\//,
    ],
    [
      'pipelines of any job',
      GOOD.replace('target', 'pipelines: {kind: jenkins, url: "https://x.y", user: a}\n    target'),
      /jobs/,
    ],
    ['a repository without owner', GOOD.replace('target', 'repository: shop\n    target'), /owner\/name/],
    ['an unknown kind of target', GOOD.replace('command', 'ftp'), /services\.web\.target\.kind/],
  ];
  for (const [what, source, message] of bad)
    it(`refuses ${what}`, () => expect(problems(source).join('\n')).to.match(message));
});
