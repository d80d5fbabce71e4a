import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { Brain, type Robot } from 'hubot';
import { Redis as RedisClient } from 'ioredis';
import { attachBrain, type BrainConnection, type BrainStorage, entriesOfBlob } from '../../src/storage/brain.ts';
import { postgresBrain } from '../../src/storage/brain-postgres.ts';
import { redisAddress, redisBrain } from '../../src/storage/brain-redis.ts';
import * as storage from '../../src/storage/migrations/0001-storage.ts';
import { eachDatabase, onServer, quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { collectingLog } from '../support/log.ts';
import { needs } from '../support/missing.ts';
import { REDIS_INSTALL, type Redis, redisProgram, startRedis } from '../support/redis.ts';

/** Hubot's own Brain needs of its robot that it emits events. */
function newBrain(): Brain {
  const robot: Robot = Object.assign(Object.create(null), { on: new EventEmitter().on });
  return new Brain(robot);
}

/** What must hold wherever the brain is kept. `open` gives a storage on the same place each time. */
function storesBrains(open: () => Promise<BrainStorage>): void {
  const connections: BrainConnection[] = [];
  async function replica(): Promise<{ brain: Brain; connection: BrainConnection }> {
    const brain = newBrain();
    const connection = await attachBrain(brain, await open(), { log: quiet });
    connections.push(connection);
    return { brain, connection };
  }
  afterEach(async () => {
    for (const connection of connections.splice(0)) await connection.close();
  });

  it('gives back what was set, after a restart', async () => {
    const first = await replica();
    first.brain.set('karma', { alice: 3 });
    first.brain.set({ a: 1, b: [1, 2] });
    first.brain.userForId('7', { name: 'alice', room: 'ops' });
    first.brain.data['lists'] = { todo: ['x'] };
    await first.connection.close();
    const { brain } = await replica();
    expect(brain.get('karma')).to.deep.equal({ alice: 3 });
    expect(brain.get('a')).to.equal(1);
    expect(brain.get('b')).to.deep.equal([1, 2]);
    expect(brain.userForName('Alice')?.id).to.equal('7');
    expect(brain.userForId('7').constructor.name).to.equal('User');
    expect(brain.data['lists']).to.deep.equal({ todo: ['x'] });
    brain.remove('a').remove('b').remove('karma');
  });

  it('stores values that were changed in place, at save', async () => {
    const { brain, connection } = await replica();
    const list: string[] = [];
    brain.set('list', list);
    await connection.save();
    list.push('later');
    brain.save();
    await connection.save();
    await connection.close();
    expect((await replica()).brain.get('list')).to.deep.equal(['later']);
  });

  it('removes what was removed', async () => {
    const { brain, connection } = await replica();
    brain.set('gone', 1);
    await connection.save();
    brain.remove('gone');
    await connection.close();
    expect((await replica()).brain.get('gone')).to.equal(null);
  });

  it('loses nothing when two replicas write different keys at once, and each sees the other’s', async () => {
    const one = await replica();
    const two = await replica();
    for (let round = 0; round < 20; round++) {
      one.brain.set(`one:${round}`, { round });
      two.brain.set(`two:${round}`, { round });
    }
    await Promise.all([one.connection.save(), two.connection.save()]);
    await eventually(() => one.brain.get('two:19') !== null && two.brain.get('one:19') !== null);
    await Promise.all([one.connection.close(), two.connection.close()]);
    const { brain } = await replica();
    for (let round = 0; round < 20; round++) {
      expect(brain.get(`one:${round}`)).to.deep.equal({ round });
      expect(brain.get(`two:${round}`)).to.deep.equal({ round });
    }
  });

  it('keeps references that a script holds, when another replica changes the value', async () => {
    const one = await replica();
    one.brain.set('held', { n: 1 });
    await one.connection.save();
    const two = await replica();
    const held = two.brain.get('held');
    one.brain.set('held', { n: 2 });
    await eventually(() => JSON.stringify(held) === '{"n":2}');
    expect(two.brain.get('held')).to.equal(held);
  });

  it('forgets what another replica removed, and does not bring it back', async () => {
    const one = await replica();
    one.brain.set('brief', 1);
    await one.connection.save();
    const two = await replica();
    expect(two.brain.get('brief')).to.equal(1);
    one.brain.remove('brief');
    await eventually(() => two.brain.get('brief') === null);
    two.brain.save();
    await two.connection.save();
    expect((await replica()).brain.get('brief')).to.equal(null);
  });

  it('stores keys of any name without touching a prototype', async () => {
    const { brain, connection } = await replica();
    const names = ['__proto__', 'constructor', 'a:b', '', 'ü 😀', 'nul\u0000', '\\u0041', 'half\ud800'];
    for (const name of names) brain.set(name, { polluted: name });
    await connection.close();
    expect(Object.hasOwn(Object.prototype, 'polluted')).to.equal(false);
    const { brain: again } = await replica();
    for (const name of names) expect(again.get(name), JSON.stringify(name)).to.deep.equal({ polluted: name });
    expect(Object.getPrototypeOf(again.data)).to.equal(Object.prototype);
    expect(again.get('toString')).to.equal(null);
    for (const name of names) again.remove(name);
  });

  it('stores the other keys when one cannot be written', async () => {
    const log = collectingLog();
    const brain = newBrain();
    const connection = await attachBrain(brain, await open(), { log });
    connections.push(connection);
    const round: Record<string, unknown> = {};
    round['self'] = round;
    brain.set('round', round);
    brain.set('straight', 1);
    await connection.save();
    expect(log.messages()).to.deep.equal(['brain key cannot be stored: it is not JSON']);
    expect((await replica()).brain.get('straight')).to.equal(1);
  });
}

describe('brain', () => {
  eachDatabase(
    (open) => {
      storesBrains(async () => postgresBrain(await open()));
    },
    { storage },
  );

  describe('two replicas with connections of their own', () => {
    onServer(
      (open) => {
        it('see each other’s changes', async () => {
          const one = newBrain();
          const two = newBrain();
          const first = await attachBrain(one, postgresBrain(await open()), { log: quiet });
          const second = await attachBrain(two, postgresBrain(await open.another()), { log: quiet });
          one.set('here', 1);
          two.set('there', 2);
          await eventually(() => two.get('here') === 1 && one.get('there') === 2);
          await first.close();
          await second.close();
        });
      },
      { storage },
    );
  });

  describe('Redis', () => {
    let redis: Redis;
    before(async function () {
      if (!redisProgram()) needs(this, 'Redis', REDIS_INSTALL);
      redis = await startRedis();
    });
    after(async () => {
      await redis?.remove();
    });
    storesBrains(() => redisBrain(`${redis.url}/team`, { log: quiet }));

    it('takes over what hubot-redis-brain stored, once', async () => {
      const client = new RedisClient(redis.url);
      const blob = { users: { 1: { id: '1', name: 'bob' } }, _private: { k: 'v' }, ['scores']: { bob: 1 } };
      await client.set('old:storage', JSON.stringify(blob));
      const brain = newBrain();
      const first = await attachBrain(brain, await redisBrain(`${redis.url}/old`, { log: quiet }), { log: quiet });
      expect(brain.get('k')).to.equal('v');
      expect(brain.userForName('bob')?.id).to.equal('1');
      expect(brain.data['scores']).to.deep.equal({ bob: 1 });
      brain.remove('k');
      await first.close();
      const again = newBrain();
      const second = await attachBrain(again, await redisBrain(`${redis.url}/old`, { log: quiet }), { log: quiet });
      expect(again.get('k')).to.equal(null);
      await second.close();
      expect(await client.get('old:storage')).to.equal(JSON.stringify(blob));
      await client.quit();
    });

    it('keeps what was set while Redis was away', async function () {
      this.timeout(30_000);
      const log = collectingLog();
      const brain = newBrain();
      const connection = await attachBrain(brain, await redisBrain(`${redis.url}/away`, { log }), { log });
      brain.set('before', 1);
      await connection.save();
      await redis.stop();
      brain.set('meanwhile', 2);
      await connection.save().catch(() => undefined);
      expect(brain.get('meanwhile')).to.equal(2);
      await redis.start();
      await eventually(() => log.messages(true).includes('brain stored again'), Boolean, 20_000);
      await connection.close();
      expect(log.messages()).to.include('Redis is away');
      const again = newBrain();
      const second = await attachBrain(again, await redisBrain(`${redis.url}/away`, { log }), { log });
      expect([again.get('before'), again.get('meanwhile')]).to.deep.equal([1, 2]);
      await second.close();
    });

    it('says clearly that Redis cannot be reached', async () => {
      let said = '';
      await redisBrain('redis://127.0.0.1:1/x', { log: quiet, waitMs: 200 }).catch((error: unknown) => {
        said = String(error);
      });
      expect(said).to.match(/Redis cannot be reached: .*REDIS_URL/);
    });
  });

  it('reads addresses as hubot-redis-brain does', () => {
    const table: [string, { url: string; prefix: string; socket?: string; password?: string }][] = [
      ['redis://localhost:6379', { url: 'redis://localhost:6379', prefix: 'hubot' }],
      ['redis://:secret@10.0.0.1:16379/team', { url: 'redis://:secret@10.0.0.1:16379', prefix: 'team' }],
      ['rediss://u:p@h:6380/2#team', { url: 'rediss://u:p@h:6380/2', prefix: 'team' }],
      ['redis://h/0', { url: 'redis://h/0', prefix: 'hubot' }],
      [
        'redis://:p%40@/var/run/redis.sock?team',
        { url: '', socket: '/var/run/redis.sock', prefix: 'team', password: 'p@' },
      ],
      ['redis:///var/run/redis.sock', { url: '', socket: '/var/run/redis.sock', prefix: 'hubot' }],
    ];
    for (const [text, wanted] of table) expect(redisAddress(text), text).to.deep.equal(wanted);
    expect(() => redisAddress('localhost')).to.throw('REDIS_URL');
    expect(() => redisAddress('http://x')).to.throw('REDIS_URL');
  });

  it('reads an old brain without following __proto__', () => {
    const entries = entriesOfBlob('{"users":{},"_private":{"__proto__":{"a":1}},"__proto__":2}');
    expect(entries).to.deep.equal([
      { kind: 'private', key: '__proto__', value: '{"a":1}' },
      { kind: 'data', key: '__proto__', value: '2' },
    ]);
  });
});
