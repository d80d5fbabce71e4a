import { expect } from 'chai';
import { servicesSchema } from '../../src/config/services.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import type { SourceConfig } from '../../src/domain/deploy/source.ts';

function read(source: string, more = '', rules = '') {
  const text = `environments: { staging: , production: { ${rules} } }
services:
  web: { ${more} source: { ${source} }, target: { kind: command, deploy: [./deploy] } }
`;
  return parseYaml(text, 'config/services.yaml', servicesSchema);
}

function problems(source: string, more = '', rules = ''): string[] {
  const result = read(source, more, rules);
  return result.ok ? [] : result.problems.map(({ key, message }) => `${key}: ${message}`);
}

describe('source and checks in config/services.yaml', () => {
  const good: [string, string, SourceConfig][] = [
    [
      'kind: git, url: https://git.example.com/acme/web.git, token_from: GIT_TOKEN',
      'repository: acme/web,',
      {
        kind: 'git',
        name: 'acme/web',
        url: 'https://git.example.com/acme/web.git',
        user: 'x-access-token',
        tokenFrom: 'GIT_TOKEN',
        others: false,
      },
    ],
    [
      'kind: git, url: /srv/git/web.git, branch: release/1.x, others: true',
      '',
      {
        kind: 'git',
        name: 'web',
        url: '/srv/git/web.git',
        user: 'x-access-token',
        branch: 'release/1.x',
        others: true,
      },
    ],
    [
      "kind: git, url: 'git@git.example.com:acme/web.git'",
      '',
      { kind: 'git', name: 'web', url: 'git@git.example.com:acme/web.git', user: 'x-access-token', others: false },
    ],
    [
      "kind: github, deploy_as: 'sha-{short}'",
      'repository: acme/web,',
      {
        kind: 'github',
        name: 'acme/web',
        url: 'https://api.github.com',
        tokenFrom: 'GITHUB_TOKEN',
        deployAs: 'sha-{short}',
        others: false,
      },
    ],
    [
      'kind: gitlab, repository: acme/shop/web, url: https://gitlab.example.com',
      '',
      {
        kind: 'gitlab',
        name: 'acme/shop/web',
        url: 'https://gitlab.example.com',
        tokenFrom: 'GITLAB_TOKEN',
        others: false,
      },
    ],
  ];
  for (const [source, more, expected] of good) {
    it(`reads ${source}`, () => {
      const result = read(source, more);
      expect(result.ok && result.value.services[0]?.source).to.deep.equal(expected);
    });
  }

  const addresses = [
    '--upload-pack=touch',
    'ext::sh -c touch',
    'https://user:secret@git.example.com/acme/web.git',
    'https://token@git.example.com/acme/web.git',
    'http://git.example.com/acme/web.git',
    'ssh://-oProxyCommand=touch/acme/web.git',
    '-oProxyCommand=touch@host:acme/web.git',
    'host:-acme',
    'acme/web',
    '/srv/ext::sh',
    'file://-x/y',
  ];
  for (const url of addresses) {
    it(`takes no ${url}`, () => {
      expect(problems(`kind: git, url: '${url}'`).join()).to.contain('without a password in it');
    });
  }

  const wrong: [string, string][] = [
    [
      'kind: git, url: /srv/web.git, token_from: GIT_TOKEN',
      'services.web.source.token_from: a token goes to an https address only',
    ],
    ['kind: github', 'services.web.source.repository: which repository?'],
    ["kind: git, url: /srv/web.git, branch: '--all'", 'services.web.source.branch: the name of a branch is expected'],
    [
      "kind: git, url: /srv/web.git, deploy_as: 'latest'",
      'services.web.source.deploy_as: what the target is given, with {commit} or {short} in it once',
    ],
    ["kind: git, url: /srv/web.git, deploy_as: '{tag}'", 'there is no {tag}; allowed: {commit}, {short}'],
    [
      'kind: github, repository: acme/web, url: http://github.example.com',
      'an address that begins with https:// is expected',
    ],
    ['kind: svn', 'services.web.source'],
  ];
  for (const [source, expected] of wrong) {
    it(`says what is wrong with ${source}`, () => expect(problems(source).join('\n')).to.contain(expected));
  }

  it('reads required checks', () => {
    for (const [text, expected] of [
      ['checks: [build, " test ", build]', ['build', 'test']],
      ['checks: all', 'all'],
    ] as const) {
      const result = read('kind: git, url: /srv/web.git', '', text);
      expect(result.ok && result.value.environments[1]?.rules?.checks).to.deep.equal(expected);
    }
    expect(problems('kind: git, url: /srv/web.git', '', 'checks: []').join()).to.contain(
      'environments.production.checks',
    );
    expect(problems('kind: git, url: /srv/web.git', '', 'checks: some').join()).to.contain(
      'environments.production.checks',
    );
  });
});
