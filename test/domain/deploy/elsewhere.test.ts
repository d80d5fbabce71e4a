import { expect } from 'chai';
import { deploymentsCard } from '../../../src/domain/deploy/listing.ts';
import type { Deployment } from '../../../src/domain/deploy/ports.ts';
import type { ShownRun } from '../../../src/domain/pipelines/ports.ts';

const minute = (minutes: number): Date => new Date(Date.UTC(2026, 10, 20, 8) + minutes * 60_000);
const NOW = minute(60);
const PLACE = { service: 'shop', environment: 'production', live: { kind: 'nothing' } } as const;

function own(id: number, from: number, to: number): Deployment {
  return {
    id,
    service: 'shop',
    environment: 'production',
    version: `v${id}`,
    by: { id: 'web:1', name: 'bob' },
    origin: { chat: 'web', room: 'ops' },
    state: 'succeeded',
    requestedAt: minute(from),
    startedAt: minute(from),
    finishedAt: minute(to),
  };
}

function other(version: string, from: number, more: Partial<ShownRun> = {}): ShownRun {
  return {
    id: 1,
    canRerun: false,
    source: 'github',
    run: version,
    kind: 'deployment',
    repository: 'acme/shop',
    services: ['shop'],
    name: 'deploy',
    version,
    environment: 'production',
    by: 'alice',
    state: 'succeeded',
    startedAt: minute(from),
    finishedAt: minute(from + 2),
    heardAt: minute(from),
    jobs: [],
    ...more,
  };
}

function latest(history: readonly Deployment[], elsewhere: readonly ShownRun[]): string[] {
  const { text = '' } = deploymentsCard([PLACE], history, NOW, elsewhere);
  return text.split('**Latest**\n\n')[1]?.split('\n') ?? [];
}

describe('deployments elsewhere', () => {
  it('stand among those of the robot, by time, as by whoever made them', () => {
    expect(latest([own(2, 40, 42), own(1, 0, 1)], [other('v9', 20)])).to.deep.equal([
      '- \\#2 shop v2 to production: succeeded after 2 min, by bob, 18 min ago',
      '- shop v9 to production: succeeded after 2 min, by alice in GitHub, 38 min ago',
      '- \\#1 shop v1 to production: succeeded after 1 min, by bob, 59 min ago',
    ]);
  });

  it('are shown where the robot never deployed', () => {
    const run = other('', 20, {
      source: 'gitlab',
      commit: '279484c0',
      state: 'failed',
      url: 'https://gitlab.example.com/1',
    });
    const { version: _version, by: _by, ...nameless } = run;
    expect(latest([], [nameless])).to.deep.equal([
      '- shop 279484c0 to production: failed after 2 min, in GitLab, 38 min ago · [open](https://gitlab.example.com/1)',
    ]);
  });

  it('are not what the robot itself did there', () => {
    const history = [own(2, 40, 42)];
    const same = other('main', 41);
    expect(latest(history, [same])).to.have.lengthOf(1);
    expect(latest(history, [other('main', 45)])).to.have.lengthOf(2);
    expect(latest(history, [other('main', 39)])).to.have.lengthOf(2);
    expect(latest(history, [{ ...same, environment: 'staging' }])).to.have.lengthOf(2);
    expect(latest(history, [{ ...same, services: ['other'] }])).to.have.lengthOf(2);
  });

  it('are shown while a deployment of the robot still waits', () => {
    const { startedAt: _startedAt, finishedAt: _finishedAt, ...rest } = own(2, 30, 40);
    expect(latest([{ ...rest, state: 'queued' }], [other('v9', 35)])).to.have.lengthOf(2);
  });

  it('tell who brought there what is live', () => {
    const commit = '279484c09fbe69ededfced8c1bb6e6d24616b468';
    const placed = (version: string, runs: readonly ShownRun[], by?: string): string => {
      const live = { kind: 'live', version, ...(by === undefined ? {} : { by }) } as const;
      return deploymentsCard([{ ...PLACE, live }], [], NOW, runs).text?.split('\n')[0] ?? '';
    };
    expect(placed('v9', [other('v9', 20)])).to.equal('- shop in production: **v9**, by alice');
    expect(placed('279484c0', [other('main', 20, { commit })])).to.include(', by alice');
    for (const run of [
      other('v8', 20),
      other('v9', 20, { state: 'failed' }),
      other('v9', 20, { environment: 'staging' }),
      other('v9', 20, { services: ['other'] }),
    ]) {
      expect(placed('v9', [run])).to.not.include('alice');
    }
    expect(placed('2794', [other('main', 20, { commit })])).to.not.include('alice');
    expect(placed('v9', [other('v9', 20)], 'bob')).to.include(', by bob');
  });

  it('show hostile texts as text', () => {
    const [line] = latest(
      [],
      [other('<!here> [x](https://evil.example)', 20, { by: '@channel', url: 'javascript:1' })],
    );
    expect(line)
      .to.include('\\<\\!here\\>')
      .and.to.include('@\u2060channel')
      .and.to.not.match(/(?<!\\)\[|javascript/);
  });

  it('are at most ten with the others', () => {
    expect(
      latest(
        [],
        Array.from({ length: 30 }, (_, at) => other(`v${at}`, at)),
      ),
    ).to.have.lengthOf(10);
  });
});
