import { expect } from 'chai';
import { servicesSchema } from '../../src/config/services.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import type { TargetConfig } from '../../src/domain/deploy/config.ts';

function read(target: string): TargetConfig | string {
  const source = `environments: { staging: }\nservices:\n  web:\n    target: { ${target} }\n`;
  const result = parseYaml(source, 'config/services.yaml', servicesSchema);
  if (!result.ok) return result.problems.map(({ key, message }) => `${key}: ${message}`).join('\n');
  return result.value.services[0]?.target ?? 'no target';
}

const JENKINS =
  'kind: jenkins, url: "https://ci.example.com/jenkins/", job: platform/web, user: robot, token_from: JENKINS_TOKEN';
const ARGO = 'kind: argocd, url: "https://argocd.example.com", token_from: ARGOCD_TOKEN';
const HOOK = 'kind: webhook, deploy: "https://d.example.com/{service}", secret_from: HOOK_SECRET';

describe('targets of config/services.yaml', () => {
  it('reads jenkins', () => {
    expect(read(JENKINS)).to.deep.equal({
      kind: 'jenkins',
      url: 'https://ci.example.com/jenkins',
      job: 'platform/web',
      user: 'robot',
      tokenFrom: 'JENKINS_TOKEN',
      parameters: {
        SERVICE: '{service}',
        ENVIRONMENT: '{environment}',
        VERSION: '{version}',
        DEPLOYMENT: '{deployment}',
      },
      timeoutMs: 1_800_000,
    });
  });

  it('reads argocd', () => {
    const plain = {
      kind: 'argocd',
      url: 'https://argocd.example.com',
      application: '{service}-{environment}',
      tokenFrom: 'ARGOCD_TOKEN',
      set: { kind: 'revision' },
      prune: false,
      timeoutMs: 900_000,
    };
    expect(read(ARGO)).to.deep.equal(plain);
    expect(read(`${ARGO}, set: { helm_parameter: image.tag }, source: 2, project: shop`)).to.deep.equal({
      ...plain,
      set: { kind: 'helm', parameter: 'image.tag' },
      source: 2,
      project: 'shop',
    });
    expect(read(`${ARGO}, set: { kustomize_image: ghcr.io/acme/web }`)).to.deep.include({
      set: { kind: 'kustomize', image: 'ghcr.io/acme/web' },
    });
  });

  it('reads webhook', () => {
    const status = 'https://d.example.com/{id}?of={deployment}';
    expect(read(`${HOOK}, status: "${status}", token_from: HOOK_TOKEN, timeout: 1h`)).to.deep.equal({
      kind: 'webhook',
      deploy: 'https://d.example.com/{service}',
      status,
      secretFrom: 'HOOK_SECRET',
      tokenFrom: 'HOOK_TOKEN',
      timeoutMs: 3_600_000,
    });
  });

  const bad: [string, string, RegExp][] = [
    [
      'a token in the file',
      JENKINS.replace('JENKINS_TOKEN', '"11a2b3-c4"'),
      /token_from: the name of an environment variable/,
    ],
    ['an address without a scheme', ARGO.replace('https://', ''), /url: an address like/],
    ['an address with a password', ARGO.replace('argocd.', 'a:b@argocd.'), /url: an address like/],
    ['a job that begins with a slash', JENKINS.replace('platform/', '/platform/'), /job: the path of a job/],
    [
      'a word that nobody fills in',
      `${JENKINS}, parameters: { V: "{versoin}" }`,
      /there is no \{versoin\}; allowed: \{service\}/,
    ],
    ['a version in the name of a job', JENKINS.replace('platform/web', '"{version}/web"'), /there is no \{version\}/],
    ['a host that is filled in', HOOK.replace('d.example', '{service}.example'), /only behind the host/],
    ['an id before there is one', HOOK.replace('{service}', '{id}'), /there is no \{id\}/],
    ['a log without a status', `${HOOK}, log: "https://d.example.com/log"`, /log: log needs status/],
    ['two ways to set the version', `${ARGO}, set: { helm_parameter: a, kustomize_image: b }`, /set/],
  ];
  for (const [what, source, message] of bad) {
    it(`refuses ${what}`, () => {
      const problems = read(source);
      expect(problems).to.be.a('string').and.match(message);
    });
  }
});
