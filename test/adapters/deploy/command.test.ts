import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { fill } from '../../../src/adapters/deploy/command/arguments.ts';
import { createCommandTarget } from '../../../src/adapters/deploy/command/client.ts';
import { runProgram } from '../../../src/adapters/deploy/command/run.ts';
import { parseCurrent, parseVersions } from '../../../src/adapters/deploy/command/schema.ts';
import { createLines, progressOf } from '../../../src/adapters/deploy/lines.ts';
import type { ProgressStep, TargetOutcome } from '../../../src/domain/deploy/target.ts';
import type { CommandTargetConfig } from '../../../src/domain/deploy/targets/command.ts';

/** Starts what says its number and will not stop; a shell, because it is there at once, however busy the machine is. */
const STUBBORN = `sh -c 'trap "" TERM; echo $$; while :; do sleep 0.1; done'`;

describe('command target', function () {
  this.timeout(20_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'command-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const base: CommandTargetConfig = {
    kind: 'command',
    folder: '.',
    deploy: ['node', 'program.mjs', '{environment}', '{version}'],
    timeoutMs: 15_000,
    pass: [],
    variables: {},
  };

  function target(config: Partial<CommandTargetConfig>, environment: Record<string, string> = {}) {
    const own = { PATH: process.env['PATH'], HOME: '/nowhere', SECRET_OF_THE_ROBOT: 'hidden', ...environment };
    return createCommandTarget({
      service: 'web',
      config: { ...base, ...config },
      root: folder,
      dataFolder: 'data',
      environment: own,
      graceMs: 500,
    });
  }

  async function run(
    source: string,
    config: Partial<CommandTargetConfig> = {},
    options: { environment?: Record<string, string>; signal?: AbortSignal; version?: string } = {},
  ): Promise<{ outcome: TargetOutcome; lines: string[]; steps: ProgressStep[] }> {
    await writeFile(join(folder, 'program.mjs'), source);
    const lines: string[] = [];
    const steps: ProgressStep[] = [];
    const outcome = await target(config, options.environment).deploy(
      { deployment: 5, service: 'web', environment: 'staging', version: options.version ?? 'v2' },
      {
        signal: options.signal ?? new AbortController().signal,
        remember: async () => undefined,
        progress: (step) => steps.push(step),
        output: (line) => lines.push(line),
      },
    );
    return { outcome, lines, steps };
  }

  it('runs a program with arguments and hears its progress', async () => {
    const { outcome, lines, steps } = await run(
      "console.log('::step Copying'); console.log('::progress 40'); console.error(process.argv.slice(2).join('|'))",
    );
    expect(outcome).to.deep.equal({ kind: 'succeeded' });
    expect(steps).to.deep.equal([{ text: 'Copying' }, { percent: 40 }]);
    expect(lines).to.deep.equal(['staging|v2']);
  });

  it('hands on nothing of its own environment but what is listed', async () => {
    const { lines } = await run(
      'console.log(Object.keys(process.env).sort().join(" ")); console.log(process.env.DEPLOY_TOKEN.length)',
      { pass: ['DEPLOY_TOKEN'], variables: { REGION: 'eu' } },
      { environment: { DEPLOY_TOKEN: 'secret-value' } },
    );
    expect(lines).to.deep.equal([
      'DEPLOY_TOKEN HOME PATH REGION SHIPMATE_DEPLOYMENT SHIPMATE_ENVIRONMENT SHIPMATE_SERVICE SHIPMATE_SERVICE_DATA SHIPMATE_VERSION',
      '12',
    ]);
  });

  it('blots out the values it handed on', async () => {
    const { lines } = await run(
      'console.log(process.env.DEPLOY_TOKEN)',
      { pass: ['DEPLOY_TOKEN'] },
      { environment: { DEPLOY_TOKEN: 'secret-value' } },
    );
    expect(lines).to.deep.equal(['[DEPLOY_TOKEN]']);
  });

  it('involves no shell', async () => {
    const version = '$(touch evil);`id`&&"x y"';
    const { lines } = await run('console.log(JSON.stringify(process.argv.slice(2)))', {}, { version });
    expect(lines).to.deep.equal([JSON.stringify(['staging', version])]);
  });

  it('refuses values that a program may take for an option, and control characters', async () => {
    for (const version of ['--force', '-x', 'v1\nv2', 'v1\u001b[0m']) {
      const { outcome } = await run('console.log(1)', {}, { version });
      expect(outcome).to.include({ kind: 'failed', code: 'value' });
    }
    expect(fill(['x', '--to={version}', '{nothing}'], { service: 's', environment: 'e', version: 'v' })).to.deep.equal({
      kind: 'filled',
      program: 'x',
      args: ['--to=v', '{nothing}'],
    });
  });

  const endings: [string, string, Partial<CommandTargetConfig>, string][] = [
    ['an exit code', 'process.exit(3)', {}, 'the program ended with exit code 3'],
    ['a signal', "process.kill(process.pid, 'SIGKILL')", {}, 'the program was ended by SIGKILL'],
    ['no program', '', { deploy: ['no-such-program'] }, 'the program no-such-program was not found on PATH'],
    ['no folder', '', { folder: 'missing' }, 'the folder missing is not there'],
    [
      'a program that is not executable',
      '',
      { deploy: ['./program.mjs'] },
      'the program ./program.mjs is not executable',
    ],
  ];
  for (const [what, source, config, text] of endings) {
    it(`says so: ${what}`, async () => {
      const { outcome } = await run(source, config);
      expect(outcome).to.include({ kind: 'failed', text });
    });
  }

  it('stops what takes too long, with all that it started, even if it will not stop', async () => {
    const started = Date.now();
    const { outcome, lines } = await run(`trap 'echo no' TERM; ${STUBBORN} & while :; do wait; done`, {
      deploy: ['sh', 'program.mjs'],
      timeoutMs: 1_500,
    });
    expect(outcome).to.deep.equal({
      kind: 'failed',
      code: 'timeout',
      text: 'the program took longer than 1.5 s and was stopped',
    });
    expect(lines).to.include('no');
    await gone(Number(lines.find((line) => /^\d+$/.test(line))));
    expect(Date.now() - started).to.be.below(6_000);
  });

  it('ends when the robot ends', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 500);
    const { outcome } = await run('setInterval(() => {}, 1000)', {}, { signal: stop.signal });
    expect(outcome.kind).to.equal('interrupted');
  });

  it('is not held up by something that the program left running', async () => {
    const started = Date.now();
    const { outcome } = await run(
      `import { spawn } from 'node:child_process';
       spawn(process.execPath, ['-e', 'setTimeout(() => {}, 5000)'], { stdio: 'inherit', detached: true }).unref();
       console.log('done');`,
    );
    expect(outcome.kind).to.equal('succeeded');
    expect(Date.now() - started).to.be.below(4_000);
  });

  it('takes any amount of output', async () => {
    let lines = 0;
    await writeFile(join(folder, 'program.mjs'), "for (let i = 0; i < 500000; i++) console.log('x'.repeat(100))");
    const outcome = await target({}).deploy(
      { deployment: 5, service: 'web', environment: 'staging', version: 'v2' },
      {
        signal: new AbortController().signal,
        remember: async () => undefined,
        progress: () => undefined,
        output: () => (lines += 1),
      },
    );
    expect(outcome.kind).to.equal('succeeded');
    expect(lines).to.equal(500_000);
  });

  it('leaves nothing running when the robot is killed, and waits for that', async () => {
    await writeFile(
      join(folder, 'program.mjs'),
      "import { writeFileSync } from 'node:fs'; process.on('SIGTERM', () => {}); writeFileSync('pid', String(process.pid)); setInterval(() => {}, 1000)",
    );
    const robot = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { createCommandTarget } from ${JSON.stringify(new URL('../../../src/adapters/deploy/command/client.ts', import.meta.url).href)};
         const target = createCommandTarget({ service: 'web', root: ${JSON.stringify(folder)}, dataFolder: 'data', environment: process.env,
           graceMs: 500, config: ${JSON.stringify(base)} });
         await target.deploy({ deployment: 5, service: 'web', environment: 'staging', version: 'v2' },
           { signal: new AbortController().signal, progress() {}, output() {} });`,
      ],
      { stdio: 'inherit' },
    );
    const pid = await appears(join(folder, 'pid'));
    robot.kill('SIGKILL');
    await target({}).settle('web', 'staging');
    expect(alive(pid)).to.equal(false);
  });

  it('asks what is live and which versions there are', async () => {
    await writeFile(join(folder, 'say.mjs'), 'console.log(process.argv[2])');
    const say = (text: string) => ['node', 'say.mjs', text];
    expect(await target({}).current('web', 'staging')).to.equal('unsupported');
    expect(await target({}).versions('web')).to.equal('unsupported');
    expect(await target({ current: say('{"version":"v1"}') }).current('web', 'staging')).to.deep.equal({
      version: 'v1',
    });
    expect(await target({ current: say('{}') }).current('web', 'staging')).to.equal(undefined);
    expect(await target({ versions: say('v2\nv1') }).versions('web')).to.deep.equal(['v2', 'v1']);
    const problem = await target({ current: say('hello') })
      .current('web', 'staging')
      .then(String, String);
    expect(problem).to.include('did not print');
    const missing = await target({ versions: ['no-such-program'] })
      .versions('web')
      .then(String, String);
    expect(missing).to.include('gave no answer: the program no-such-program was not found on PATH');
  });

  const questions: [string, Partial<CommandTargetConfig>, string][] = [
    ['no program', { current: ['no-such-program'] }, 'the program no-such-program was not found on PATH'],
    ['no folder', { current: ['node'], folder: 'missing' }, 'the folder missing is not there'],
    ['not executable', { current: ['./say.mjs'] }, 'the program ./say.mjs is not executable'],
    ['an exit code', { current: ['node', '-e', 'console.error("why"); process.exit(3)'] }, 'exit code 3 (why)'],
    ['a signal', { current: ['node', '-e', 'process.kill(process.pid, "SIGKILL")'] }, 'was ended by SIGKILL'],
    ['too much', { current: ['node', '-e', 'console.log("x".repeat(2e6))'] }, 'it printed too much'],
  ];
  for (const [what, config, words] of questions) {
    it(`says why a question has no answer: ${what}`, async () => {
      await writeFile(join(folder, 'say.mjs'), '');
      const answer = await target(config).current('web', 'staging').then(JSON.stringify, String);
      expect(answer).to.include('the program for “current” gave no answer: ').and.include(words);
    });
  }

  it('ends a question that takes too long, with all that it started', async () => {
    const lines: string[] = [];
    const ended = await runProgram({
      program: 'sh',
      args: ['-c', `${STUBBORN} & wait`],
      folder,
      environment: { PATH: process.env['PATH'] ?? '' },
      timeoutMs: 1_000,
      graceMs: 200,
      stdout: (line) => lines.push(line),
      stderr: (line) => lines.push(line),
    });
    expect(ended).to.deep.equal({ kind: 'timeout' });
    expect(lines).to.have.length(1);
    await gone(Number(lines[0]));
  });

  it('runs an executable of the folder', async () => {
    await writeFile(join(folder, 'tool'), '#!/usr/bin/env node\nconsole.log("tool")\n');
    await chmod(join(folder, 'tool'), 0o755);
    const { outcome, lines } = await run('', { deploy: ['./tool'] });
    expect([outcome.kind, ...lines]).to.deep.equal(['succeeded', 'tool']);
  });
});

describe('lines of a program', () => {
  function linesOf(...chunks: (string | Buffer)[]): string[] {
    const lines: string[] = [];
    const splitter = createLines((line) => lines.push(line));
    for (const chunk of chunks) splitter.write(Buffer.from(chunk));
    splitter.end();
    return lines;
  }

  it('joins chunks and cuts characters nowhere', () => {
    const euro = Buffer.from('€');
    expect(linesOf('a', 'b\nc ', euro.subarray(0, 1), euro.subarray(1), '\n')).to.deep.equal(['ab', 'c €']);
  });
  it('strips colours and control characters, keeps the last state of a redrawn line', () => {
    expect(linesOf('\u001b[31mred\u001b[0m\u0007\r\n10%\r20%\r30%\nbye')).to.deep.equal(['red', '30%', 'bye']);
  });
  it('takes output without line ends', () => {
    expect(linesOf('x'.repeat(40_000)).map((line) => line.length)).to.deep.equal([16_384, 16_384, 7_232]);
  });

  const progress: [string, ProgressStep | undefined][] = [
    ['::step Copy files', { text: 'Copy files' }],
    ['::progress 40', { percent: 40 }],
    ['::progress 12.5 %', { percent: 12.5 }],
    ['::progress 400', { percent: 100 }],
    ['::progress lots', undefined],
    ['say ::step no', undefined],
  ];
  for (const [line, expected] of progress) it(line, () => expect(progressOf(line)).to.deep.equal(expected));
});

describe('what programs print', () => {
  it('puts pre-releases last', () => {
    expect(parseVersions('[{"version":"v3","prerelease":true},"v2",{"version":"v1"}]')).to.deep.equal([
      'v2',
      'v1',
      'v3',
    ]);
    expect(parseVersions('[1]')).to.equal(undefined);
  });
  it('reads what is live', () => {
    expect(parseCurrent('{"version":"v1","since":"2026-01-31T12:00:00Z","more":1}')).to.deep.equal({
      version: 'v1',
      since: new Date('2026-01-31T12:00:00Z'),
    });
    for (const text of ['', 'v1', '[]', '{"version":1}', '{"since":"yesterday"}'])
      expect(parseCurrent(text)).to.equal(undefined);
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  expect(pid).to.be.above(1);
  for (let attempt = 0; attempt < 400 && alive(pid); attempt += 1) await sleep(20);
  expect(alive(pid)).to.equal(false);
}

async function appears(path: string): Promise<number> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text !== '') return Number(text);
    await sleep(20);
  }
  throw new Error(`${path} did not appear`);
}
