import { expect } from 'chai';
import { deploymentsCard } from '../../../src/domain/deploy/listing.ts';
import type { Deployment, Placement } from '../../../src/domain/deploy/ports.ts';

const at = new Date('2026-11-20T08:00:00Z');
const now = new Date('2026-11-20T09:00:00Z');
const bob = { id: 'web:1', name: 'bob' };

function deployment(change: Partial<Deployment>): Deployment {
  return {
    id: 41,
    service: 'shop',
    environment: 'production',
    version: 'v2',
    by: bob,
    origin: { chat: 'web', room: 'ops' },
    state: 'succeeded',
    requestedAt: at,
    startedAt: at,
    finishedAt: at,
    ...change,
  };
}

const place = (service: string): Placement => ({
  service,
  environment: 'production',
  live: { kind: 'live', version: 'v1' },
});

const drifted: Placement = {
  ...place('drifted'),
  live: { kind: 'live', version: 'v1', drift: { id: 7, version: 'v2', by: bob, finishedAt: at } },
};
const busy: Placement = { ...place('busy'), open: deployment({ service: 'busy', state: 'running' }) };
const unclear: Placement = { ...place('unclear'), live: { kind: 'unclear', text: 'it does not answer' } };

function lines(places: readonly Placement[]): string[] {
  return (deploymentsCard(places, [], now).text ?? '').split('\n\n')[0]?.split('\n') ?? [];
}

describe('what runs where', () => {
  it('names what has drifted first, then what is being deployed, the rest as the file does', () => {
    const all = lines([place('one'), unclear, busy, place('two'), drifted]);
    expect(all.map((line) => line.split(' ')[1])).to.deep.equal(['drifted', 'busy', 'one', 'unclear', 'two']);
  });

  it('is one message however much there is, and says how to see the rest', () => {
    const many = Array.from({ length: 500 }, (_, index) => place(`service-${index}`));
    const all = lines([...many, unclear, busy, drifted]);
    expect(all).to.have.length(41);
    expect(all[0]).to.include('drifted');
    expect(all[1]).to.include('busy');
    expect(all.at(-1)).to.equal(
      '- and 463 more, 1 of them not known: name a service, an environment or both, as in `deploys service-38`',
    );
    expect(lines(many.slice(0, 40))).to.have.length(40);
  });

  it('says of a rollback that it is one, and what the robot rolled back', () => {
    const history = [
      deployment({ id: 42, rollsBack: 41, isRollback: true }),
      deployment({ isRollback: true }),
      deployment({ id: 40 }),
    ];
    const latest = deploymentsCard([place('shop')], history, now).text?.split('**Latest**\n\n')[1];
    expect(latest?.split('\n').map((line) => line.replace(/^.*by bob/, ''))).to.deep.equal([
      ', rolls back \\#41, 1 h ago',
      ', a rollback, 1 h ago',
      ', 1 h ago',
    ]);
  });
});
