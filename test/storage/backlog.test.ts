import { expect } from 'chai';
import { readBacklog } from '../../src/storage/backlog.ts';
import { createHookStore } from '../../src/storage/hooks.ts';
import { createPostStore } from '../../src/storage/posts.ts';
import { eachDatabase } from '../support/database.ts';

eachDatabase((open) => {
  it('counts what waits', async () => {
    const db = await open();
    expect(await readBacklog(db)).to.deep.equal({
      postsWaiting: 0,
      oldestPostSeconds: 0,
      postsGivenUp: 0,
      hooksWaiting: 0,
      hooksPutAside: 0,
      alertsFiring: 0,
      deploymentsOpen: 0,
    });
    const posts = createPostStore(db);
    await posts.save({ chat: 'web', room: 'ops' }, 'one', {});
    await posts.save({ chat: 'web', room: 'general' }, 'two', {});
    const [claimed] = await posts.claim('here', 1, 60_000);
    if (!claimed) throw new Error('nothing to claim');
    await posts.failed(claimed, 'here', 'no such room');
    const hooks = createHookStore(db);
    const event = { source: 'alertmanager', receivedAt: new Date(), headers: {}, body: Buffer.from('{}') };
    await hooks.save(event);
    await hooks.park(await hooks.save(event), 'broken', new Date());
    const { oldestPostSeconds, ...counted } = await readBacklog(db);
    expect(counted).to.deep.equal({
      postsWaiting: 1,
      postsGivenUp: 1,
      hooksWaiting: 1,
      hooksPutAside: 1,
      alertsFiring: 0,
      deploymentsOpen: 0,
    });
    expect(oldestPostSeconds).to.be.within(0, 30);
  });
});
