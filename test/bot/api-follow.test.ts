/** Following a request, with a record in memory and a clock that goes on while it sleeps. */

import { expect } from 'chai';
import { type Follow, follow, type Ran } from '../../src/bot/api-follow.ts';
import type { ApiMessage, ApiState } from '../../src/bot/api-requests.ts';
import { card } from '../../src/bot/card.ts';
import { collectingLog } from '../support/log.ts';

interface Moment {
  readonly ran?: Ran;
  readonly state?: ApiState;
  readonly said?: readonly ApiMessage[];
  readonly fails?: boolean;
}

/** Goes through the moments, a second each; the last one lasts. */
async function followed(moments: readonly Moment[], options: Partial<Follow> = {}) {
  let second = 0;
  const shown: string[] = [];
  const moment = (): Moment => moments[Math.min(second, moments.length - 1)] ?? {};
  const now = (): Date => new Date(second * 1000);
  const ended = await follow(
    {
      log: collectingLog(),
      now,
      everyMs: 1000,
      sleep: async () => {
        if (++second > 10_000) throw new Error('it never ends');
      },
      store: {
        since: async (_, revision) => (moment().said ?? []).filter((message) => message.revision > revision),
        state: async () => {
          if (moment().fails) throw new Error('away');
          return moment().state ?? {};
        },
      },
    },
    {
      request: 'r',
      ran: () => moment().ran ?? 'done',
      done: Promise.resolve(),
      approvalUntil: new Date(0),
      show: async (key) => void shown.push(key),
      signal: new AbortController().signal,
      ...options,
    },
  );
  return { ...ended, shown, seconds: second };
}

const running: ApiState = { run: { outcome: undefined, detail: undefined } };
const succeeded: ApiState = { run: { outcome: 'succeeded', detail: 'deployment 1, v2' } };
const progress: ApiMessage = { key: 'p', content: card({ title: 'x', tone: 'progress' }), revision: 1 };
const outcome: ApiMessage = { key: 'p', content: card({ title: 'x', tone: 'good' }), revision: 2 };
const asked = (expiresAt = 3_600_000): ApiState => ({
  proposal: { decision: undefined, expiresAt: new Date(expiresAt) },
});

describe('following a request', () => {
  it('ends with what only reads, and with what was refused', async () => {
    expect(await followed([{ ran: 'running' }, {}])).to.include({ outcome: 'succeeded', seconds: 1 });
    expect(await followed([{ ran: 'refused' }])).to.include({ outcome: 'refused' });
    expect(await followed([{ ran: 'failed' }])).to.include({ outcome: 'failed' });
  });

  it('goes on until the record says how it ended, and the last word was said', async () => {
    const moments = [
      { state: running, said: [progress] },
      { state: succeeded, said: [progress] },
      { state: succeeded, said: [progress, outcome] },
    ];
    const told = await followed(moments);
    expect(told).to.deep.include({ outcome: 'succeeded', detail: 'deployment 1, v2', shown: ['p', 'p'], seconds: 2 });
  });

  it('does not wait for ever for the last word', async () => {
    const told = await followed([{ state: succeeded, said: [progress] }]);
    expect(told.outcome).to.equal('succeeded');
    expect(told.seconds).to.be.within(10, 12);
  });

  it('an approval is waited for only as long as it was asked to', async () => {
    expect(await followed([{ state: asked() }])).to.include({ outcome: 'pending', seconds: 0 });
    const until = new Date(60_000);
    expect(await followed([{ state: asked() }], { approvalUntil: until })).to.include({
      outcome: 'pending',
      seconds: 60,
    });
    const approved = [{ state: asked() }, { state: asked() }, { state: { ...asked(), ...succeeded } }];
    expect(await followed(approved, { approvalUntil: until })).to.include({ outcome: 'succeeded', seconds: 2 });
    expect(await followed([{ state: asked(5000) }], { approvalUntil: until })).to.include({
      outcome: 'refused',
      seconds: 5,
    });
    const refused: ApiState = { proposal: { decision: 'refused', expiresAt: until } };
    expect(await followed([{ state: refused }], { approvalUntil: until })).to.include({ outcome: 'refused' });
    const gone: ApiState = { proposal: { decision: 'void', expiresAt: until } };
    expect(await followed([{ state: gone }], { approvalUntil: until })).to.include({ outcome: 'refused', seconds: 0 });
  });

  it('a database that is away for a moment ends nothing', async () => {
    const told = await followed([{ fails: true }, { fails: true }, { state: succeeded }]);
    expect(told).to.include({ outcome: 'succeeded', seconds: 2 });
  });

  it('what another request began and left no record of is not known', async () => {
    expect(await followed([{ ran: 'elsewhere' }])).to.include({ outcome: 'unknown' });
    expect(await followed([{ ran: 'elsewhere', state: succeeded }])).to.include({ outcome: 'succeeded' });
  });

  it('ends when nobody listens any more', async () => {
    expect(await followed([{ state: running }], { signal: AbortSignal.abort() })).to.include({ outcome: 'unknown' });
  });
});
