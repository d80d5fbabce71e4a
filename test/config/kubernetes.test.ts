import { expect } from 'chai';
import { servicesSchema } from '../../src/config/services.ts';
import { parseYaml } from '../../src/config/yaml.ts';

function read(target: string): string {
  const source = `environments: { staging: }\nservices:\n  web:\n    target:\n      kind: kubernetes\n${target.replace(/^/gm, '      ')}\n`;
  const result = parseYaml(source, 'services.yaml', servicesSchema);
  return result.ok ? JSON.stringify(result.value.services[0]?.target) : JSON.stringify(result.problems);
}

describe('target kubernetes in config/services.yaml', () => {
  it('needs an image only', () => {
    expect(JSON.parse(read('image: r/web:{version}'))).to.deep.equal({
      kind: 'kubernetes',
      place: { image: 'r/web:{version}' },
      environments: {},
      timeoutMs: 600_000,
      patienceMs: 15_000,
    });
  });
  it('takes several Deployments and what differs in an environment', () => {
    const target = JSON.parse(
      read(
        'deployments: [web, { name: worker, images: { app: "r/w:{version}" } }]\nimage: r/web:{version}\nenvironments: { staging: { context: eu } }',
      ),
    );
    expect(target).to.deep.include({
      place: {
        deployments: [{ name: 'web' }, { name: 'worker', images: { app: 'r/w:{version}' } }],
        image: 'r/web:{version}',
      },
      environments: { staging: { context: 'eu' } },
    });
  });
  const wrong: [string, RegExp][] = [
    ['namespace: web', /which image\? for example image: registry.example/],
    ['image: r/web:latest', /where the version stands/],
    ['image: "r/web:{version}"\nnamespace: Web', /small letters/],
    [
      'image: "r/web:{version}"\nnamespaces: web',
      /unknown key namespaces; allowed: kind, kubeconfig, context, namespace/,
    ],
    ['deployments: [web, { name: worker, image: "r/w:{version}" }]', /which image/],
    ['image: "r/web:{version}"\npatience: soon', /duration/],
  ];
  for (const [target, problem] of wrong) it(target, () => expect(read(target)).to.match(problem));
});
