import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { loadConfig, type Overrides } from '../../src/config/config.ts';
import { problemText } from '../../src/config/problem.ts';
import { readVariables, variables } from '../../src/config/variables.ts';
import { parseYaml } from '../../src/config/yaml.ts';

describe('variables', () => {
  it('have their defaults when nothing is set or empty', () => {
    const { values, problems } = readVariables({ HUBOT_NAME: '', PORT: ' ' });
    expect(problems).to.deep.equal([]);
    expect(values.HUBOT_NAME).to.equal('shipmate');
    expect(values.PORT).to.equal(undefined);
    expect(values.HUBOT_HTTPD).to.equal(true);
  });

  it('are all reported at once when wrong, and never show a secret', () => {
    const { problems } = readVariables({
      PORT: 'eighty',
      HUBOT_HTTPD: 'perhaps',
      DATABASE_URL: 'mysql://user:hunter2@db/x',
      SHIPMATE_WEB_TOKEN: 'short',
      HUBOT_LOG_LEVEL: 'loud',
    });
    const text = problems.map(problemText).join('\n');
    expect(problems).to.have.length(5);
    expect(text).to.contain('PORT: must be a whole number from 0 to 65535 (it is "eighty")');
    expect(text).to.contain('postgres:// or postgresql://').and.not.contain('hunter2').and.not.contain('"short"');
  });

  it('of ours that do not exist are problems with the nearest name', () => {
    const { problems } = readVariables({ SHIPMATE_DATABASE: 'x', SHIPMATE_HOOKTOKEN: 'x', HUBOT_RULES: 'fine' });
    expect(problems.map(problemText).join('\n')).to.contain('did you mean SHIPMATE_HOOK_TOKEN?');
    expect(problems).to.have.length(2);
  });

  it('each say what they do', () => {
    for (const [name, { summary, fallback, kind }] of Object.entries(variables)) {
      expect(summary, name).to.match(/^[A-Z]/);
      expect(fallback, name).to.not.equal('');
      expect(kind, name).to.not.equal('');
    }
  });
});

describe('YAML', () => {
  const schema = z.strictObject({ services: z.record(z.string(), z.strictObject({ port: z.number() })).default({}) });

  function problems(source: string): string[] {
    const result = parseYaml(source, 'x.yaml', schema);
    return result.ok ? [] : result.problems.map(problemText);
  }

  it('is read, and an empty file is an empty mapping', () => {
    expect(parseYaml('services: { a: { port: 1 } }', 'x.yaml', schema)).to.deep.equal({
      ok: true,
      value: { services: { a: { port: 1 } } },
    });
    expect(parseYaml('# nothing', 'x.yaml', schema)).to.deep.equal({ ok: true, value: { services: {} } });
  });

  it('names file, line, key and what would be right, for every problem', () => {
    const found = problems('services:\n  a:\n    port: eighty\n  b:\n    prot: 1\n    port: 2\nservces: {}\n');
    expect(found.join('\n')).to.contain('x.yaml:3: services.a.port: ');
    expect(found.join('\n')).to.contain('x.yaml:5: services.b.prot: there is no such key here');
    expect(found.join('\n')).to.contain('x.yaml:7: servces: there is no such key here');
    expect(found).to.have.length(3);
  });

  for (const [name, source] of [
    ['a tab as indentation', 'services:\n\ta: 1'],
    ['a bracket that stays open', 'services: {a: 1'],
    ['a key twice', 'services: {}\nservices: {}'],
    ['a list instead of a mapping', '- a\n- b'],
    [
      'a billion laughs',
      `a: &a [x]\n${'bcdefghij'.replace(/./g, (key, at: number) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghi'[at]}`).join(', ')}]\n`)}`,
    ],
    ['a file of two megabytes', 'x'.repeat(2_000_000)],
    ['binary', '\u0000\u0001\u0002'],
  ] as const) {
    it(`says what is wrong with ${name}`, () => {
      const found = problems(source);
      expect(found).to.not.be.empty;
      expect(found[0]).to.match(/^x\.yaml/);
    });
  }
});

describe('configuration', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'shipmate-config-'));
    await mkdir(join(root, 'config'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('works without any file', async () => {
    const { config, problems } = await loadConfig(root, {});
    expect(problems).to.deep.equal([]);
    expect(config?.access.roles).to.deep.equal({ admin: ['*'] });
    expect(config?.http).to.deep.equal({ enabled: true, host: '127.0.0.1', port: undefined, open: false });
    expect(config?.webChat).to.equal(true);
  });

  it('reports what is wrong in all files and variables together', async () => {
    await writeFile(join(root, 'config/access.yaml'), 'people:\n  web:2: [captain]\n');
    await writeFile(join(root, 'config/services.yaml'), 'services: [');
    await writeFile(join(root, 'config/alerts.yaml'), 'room: 3\n');
    const { config, problems } = await loadConfig(root, { PORT: 'x' });
    expect(config).to.equal(undefined);
    const files = problems.map((problem) => problem.file);
    expect(files).to.include.members([
      'environment',
      'config/access.yaml',
      'config/services.yaml',
      'config/alerts.yaml',
    ]);
    expect(problems.map(problemText).join('\n')).to.contain('There is no role captain'.toLowerCase().slice(0, 10));
  });

  it('the command line wins over the environment', async () => {
    const { config } = await loadConfig(
      root,
      { HUBOT_NAME: 'a', HUBOT_ADAPTER: 'web' },
      { name: 'b', adapter: 'shell' },
    );
    expect(config?.variables.HUBOT_NAME).to.equal('b');
    expect(config?.chats).to.deep.equal(['shell']);
    expect(config?.webChat).to.equal(false);
  });

  it('takes the sizes that Express takes, and no other', () => {
    for (const EXPRESS_LIMIT of ['100kb', '2MB', '1.5 mb', '500000']) {
      expect(readVariables({ EXPRESS_LIMIT }).problems, EXPRESS_LIMIT).to.deep.equal([]);
    }
    for (const EXPRESS_LIMIT of ['banana', '-1', '10 apples', 'kb', '1e9', '']) {
      const { problems } = readVariables({ EXPRESS_LIMIT });
      expect(problems.map(problemText).join(), EXPRESS_LIMIT).to.match(EXPRESS_LIMIT === '' ? /^$/ : /must be a size/);
    }
  });

  describe('names what is not there:', () => {
    async function found(
      env: Record<string, string>,
      files: Record<string, string> = {},
      overrides: Overrides = {},
    ): Promise<string> {
      for (const [name, text] of Object.entries(files)) await writeFile(join(root, 'config', name), text);
      const { config, readable, problems } = await loadConfig(root, env, overrides);
      expect(config === undefined, 'no configuration').to.equal(problems.length > 0);
      expect(readable.chats).to.be.an('array');
      return problems.map(problemText).join('\n');
    }

    it('folders that a variable names', async () => {
      expect(await found({ SHIPMATE_CONFIG: '/nope/a', SHIPMATE_RUNBOOKS: 'nope', EXPRESS_STATIC: 'nope' })).to.equal(
        [
          `environment: EXPRESS_STATIC: there is no folder ${join(root, 'nope')}`,
          'environment: SHIPMATE_CONFIG: there is no folder /nope/a',
          `environment: SHIPMATE_RUNBOOKS: there is no folder ${join(root, 'nope')}`,
        ].join('\n'),
      );
      expect(await found({ SHIPMATE_RUNBOOKS: '', SHIPMATE_CONFIG: 'config' })).to.equal('');
    });

    it('the file that was meant, for one that nobody reads', async () => {
      expect(await found({}, { 'service.yaml': 'x: 1', 'alerts.yml': '', 'context.md': '' })).to.equal(
        [
          'config/alerts.yml: nothing reads this file; did you mean alerts.yaml?',
          'config/service.yaml: nothing reads this file; did you mean services.yaml?',
        ].join('\n'),
      );
    });

    it('folders and programs of services, with their lines', async () => {
      const program = (first: string) => `[${first}, '{version}']`;
      const text = await found(
        { PATH: process.env['PATH'] ?? '' },
        {
          'services.yaml': `environments: { staging: }
services:
  gone:
    target: { kind: command, folder: nowhere, deploy: ${program('node')} }
  local:
    target:
      kind: command
      folder: config
      deploy: ${program('./deploy.sh')}
      current: ${program('rollout-no-such-program')}
      versions: ${program('node')}
  fine:
    target: { kind: command, deploy: ${program('sh')}, current: ${program(process.execPath)} }
`,
        },
      );
      expect(text).to.equal(
        [
          `config/services.yaml:4: services.gone.target.folder: there is no folder ${join(root, 'nowhere')}`,
          `config/services.yaml:9: services.local.target.deploy.0: there is no program ${join(root, 'config/deploy.sh')}`,
          'config/services.yaml:10: services.local.target.current.0: there is no program rollout-no-such-program on PATH',
        ].join('\n'),
      );
      await writeFile(join(root, 'config/deploy.sh'), 'exit 0\n');
      expect(await found({ PATH: process.env['PATH'] ?? '' })).to.include('deploy.sh is not executable');
      await chmod(join(root, 'config/deploy.sh'), 0o755);
      expect(await found({ PATH: process.env['PATH'] ?? '' })).to.not.include('deploy.sh');
    });

    it('chats of rooms', async () => {
      const files = {
        'alerts.yaml':
          'room: slack:ops\nroutes:\n  - matchers: [a="b"]\n    room: discord:x\n  - matchers: [a="c"]\n    room: web:y\n',
      };
      expect(await found({}, files)).to.equal(
        [
          'config/alerts.yaml:1: room: there is no chat called slack; HUBOT_ADAPTER names web',
          'config/alerts.yaml:4: routes.0.room: there is no chat called discord; HUBOT_ADAPTER names web',
        ].join('\n'),
      );
      expect(await found({ HUBOT_ADAPTER: 'web,@hubot-friends/hubot-slack,discord' }, files)).to.equal('');
    });
  });

  it("Hubot's switches say what its variables say", async () => {
    const { config } = await loadConfig(
      root,
      { HUBOT_SCRIPTS: 'a' },
      { file: 'chats/plain.mjs', disableHttpd: true, scripts: ['b', 'c.ts'] },
    );
    expect(config?.chats).to.deep.equal(['plain']);
    expect(config?.http.enabled).to.equal(false);
    expect(config?.variables.HUBOT_SCRIPTS).to.deep.equal(['a', 'b', 'c.ts']);
    expect((await loadConfig(root, {}, { adapter: 'Shell' })).config?.chats).to.deep.equal(['shell']);
    const both = await loadConfig(root, { HUBOT_ADAPTER: 'web' }, { file: 'x.mjs' });
    expect(both.problems.map(problemText).join()).to.include('HUBOT_FILE: needs one chat in HUBOT_ADAPTER');
  });

  it('PORT and DYNO together open the address, and the web chat is off there until it is switched on with a token', async () => {
    const alone = await loadConfig(root, { PORT: '80' });
    expect(alone.config?.http.host).to.equal('127.0.0.1');
    const open = await loadConfig(root, { PORT: '80', DYNO: 'web.1' });
    expect(open.config?.http).to.deep.include({ host: '0.0.0.0', open: true });
    expect(open.config?.webChat).to.equal(false);
    const bare = await loadConfig(root, { PORT: '80', DYNO: 'web.1', SHIPMATE_WEB: 'true' });
    expect(bare.problems.map((problem) => problem.key)).to.deep.equal(['SHIPMATE_WEB_TOKEN', 'SHIPMATE_PUBLIC_URL']);
    const on = await loadConfig(root, {
      PORT: '80',
      DYNO: 'web.1',
      SHIPMATE_WEB: 'true',
      SHIPMATE_WEB_TOKEN: 'x'.repeat(32),
      SHIPMATE_PUBLIC_URL: 'https://chat.example.com',
    });
    expect(on.config?.webChat).to.equal(true);
  });
});
