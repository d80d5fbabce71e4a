import { expect } from 'chai';
import { localBus } from '../../src/storage/bus.ts';
import * as storage from '../../src/storage/migrations/0001-storage.ts';
import { eachDatabase, onServer } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { collectingLog } from '../support/log.ts';

describe('bus', () => {
  eachDatabase(
    (open) => {
      it('reaches those who listen to the channel, here too, until they stop', async () => {
        const { bus } = await open();
        const heard: unknown[] = [];
        const stop = bus.subscribe('a', (payload) => void heard.push(payload));
        bus.subscribe('b', (payload) => void heard.push(payload));
        await bus.publish('a', { id: 1, text: 'ü\u0000"\\' });
        await bus.publish('b', [null]);
        await eventually(() => heard.length === 2);
        stop();
        await bus.publish('a', 2);
        await bus.publish('b', 3);
        await eventually(() => heard.length === 3);
        expect(heard).to.deep.equal([{ id: 1, text: 'ü\u0000"\\' }, [null], 3]);
      });

      it('refuses what is too long', async () => {
        const { bus } = await open();
        expect(await bus.publish('a', 'x'.repeat(8_000)).catch(String)).to.match(/too long/);
      });
    },
    { storage },
  );

  onServer(
    (open) => {
      it('reaches another replica, in order, and does not come back', async () => {
        const here = await open();
        const there = await open.another();
        const heard: unknown[] = [];
        const own: unknown[] = [];
        there.bus.subscribe('n', (payload) => void heard.push(payload));
        here.bus.subscribe('n', (payload) => void own.push(payload));
        for (let n = 0; n < 20; n++) await here.bus.publish('n', n);
        await eventually(() => heard.length === 20);
        expect(heard).to.deep.equal(Array.from({ length: 20 }, (_, n) => n));
        expect(own).to.have.length(20);
      });
    },
    { storage },
  );

  it('lets no listener disturb another', async () => {
    const log = collectingLog();
    const bus = localBus(log);
    let heard = 0;
    bus.subscribe('a', () => {
      throw new Error('mine');
    });
    bus.subscribe('a', () => Promise.reject(new Error('mine too')));
    bus.subscribe('a', () => void heard++);
    await bus.publish('a', 1);
    await eventually(() => heard === 1 && log.lines.length === 2);
    expect(log.messages()).to.deep.equal(['bus listener failed', 'bus listener failed']);
  });
});
