import { expect } from 'chai';
import { servicesSchema } from '../../../src/config/services.ts';
import { parseYaml } from '../../../src/config/yaml.ts';

function read(target: string) {
  const source = `environments: { staging: }\nservices:\n  web:\n    target: ${target}\n`;
  return parseYaml(source, 'config/services.yaml', servicesSchema);
}

function targetOf(text: string) {
  const result = read(text);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value.services[0]?.target;
}

function problems(text: string): string {
  const result = read(text);
  return result.ok ? '' : result.problems.map(({ key, message }) => `${key}: ${message}`).join('\n');
}

describe('targets on GitHub and GitLab in config/services.yaml', () => {
  it('takes a workflow', () => {
    expect(
      targetOf(
        "{ kind: github, mode: workflow, repository: acme/web, workflow: deploy.yml, inputs: { id: '{marker}' } }",
      ),
    ).to.deep.equal({
      kind: 'github',
      url: 'https://api.github.com',
      owner: 'acme',
      repository: 'web',
      tokenFrom: 'GITHUB_TOKEN',
      environment: '{environment}',
      versions: 'tags',
      timeoutMs: 1_800_000,
      how: { mode: 'workflow', workflow: 'deploy.yml', ref: '{version}', inputs: { id: '{marker}' } },
    });
  });

  it('takes a Deployment on an Enterprise Server', () => {
    expect(
      targetOf(
        '{ kind: github, mode: deployment, repository: acme/web, url: "https://git.example.com/api/v3/", required_contexts: [], versions: any }',
      ),
    ).to.deep.include({
      url: 'https://git.example.com/api/v3',
      versions: 'any',
      how: { mode: 'deployment', task: 'deploy', requiredContexts: [] },
    });
  });

  it('takes a pipeline', () => {
    expect(
      targetOf(
        "{ kind: gitlab, project: 42, trigger_from: GLT, ref: main, variables: { V: '{version}' }, timeout: 1h }",
      ),
    ).to.deep.equal({
      kind: 'gitlab',
      url: 'https://gitlab.com',
      project: '42',
      tokenFrom: 'GITLAB_TOKEN',
      triggerFrom: 'GLT',
      ref: 'main',
      variables: { V: '{version}' },
      inputs: {},
      environment: '{environment}',
      versions: 'tags',
      timeoutMs: 3_600_000,
    });
  });

  const bad: [string, string, RegExp][] = [
    ['a workflow without its name', '{ kind: github, mode: workflow, repository: acme/web }', /name the workflow/],
    ['a repository without its owner', '{ kind: github, mode: deployment, repository: web }', /looks like owner\/name/],
    ['a mode that nobody knows', '{ kind: github, mode: push, repository: acme/web }', /mode/],
    [
      'a value that nobody fills in',
      "{ kind: gitlab, project: a/b, ref: '{branch}' }",
      /there is no \{branch\}; allowed: \{service\}/,
    ],
    ['an address without TLS', '{ kind: gitlab, project: a/b, url: "http://git.example.com" }', /https:/],
    [
      'an address with a token in it',
      '{ kind: gitlab, project: a/b, url: "https://x:y@git.example.com" }',
      /address like/,
    ],
    ['a token in place of a variable', '{ kind: gitlab, project: a/b, token_from: glpat-123 }', /environment variable/],
  ];
  for (const [what, source, message] of bad) it(`refuses ${what}`, () => expect(problems(source)).to.match(message));
});
