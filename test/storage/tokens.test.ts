import { expect } from 'chai';
import { createApiTokens } from '../../src/bot/api-tokens.ts';
import { createApiRequestStore } from '../../src/storage/api-requests.ts';
import type { Database } from '../../src/storage/database.ts';
import { createProposalStore } from '../../src/storage/proposals.ts';
import { createTokenStore } from '../../src/storage/tokens.ts';
import { eachDatabase } from '../support/database.ts';

const alice = { id: 'web:1', chat: 'web', name: 'alice' };

eachDatabase((open) => {
  let db: Database;
  let time: Date;

  function tokens() {
    let count = 0;
    return createApiTokens({
      store: createTokenStore(db),
      access: { permissionsOf: async () => ['*'] },
      baseUrl: () => 'http://robot.example.com',
      // Different each time, and of the length that is asked for.
      random: (bytes) => Buffer.alloc(bytes, `${time.getTime()} ${++count} `),
      now: () => time,
    });
  }

  beforeEach(async () => {
    time = new Date('2026-11-20T12:00:00Z');
    db = await open();
    await db.pool.query('truncate api_tokens, api_requests cascade');
  });

  const later = (ms: number): void => {
    time = new Date(time.getTime() + ms);
  };
  const claimOf = (link: string): string => link.slice(link.lastIndexOf('/') + 1);

  it('a secret is given out once, in time, and only its hash is kept', async () => {
    const ours = tokens();
    const made = await ours.create({ name: 'ci', permissions: ['deploy:staging'] }, alice);
    const claims = await Promise.all(Array.from({ length: 5 }, () => ours.fetch(claimOf(made.link))));
    const [fetched, second] = claims.filter((each) => each !== undefined);
    expect(second).to.equal(undefined);
    const secret = fetched?.secret ?? '';
    expect(await ours.authenticate(secret)).to.deep.include({
      person: { id: 'api:ci', chat: 'api', name: 'token ci' },
    });
    const stored = JSON.stringify((await db.pool.query('select * from api_tokens')).rows);
    expect(stored).to.not.include(secret).and.not.include(claimOf(made.link));

    const late = await ours.create({ name: 'late', permissions: ['deploy:staging'] }, alice);
    later(15 * 60_000);
    expect(await ours.fetch(claimOf(late.link))).to.equal(undefined);
  });

  it('counts no longer once it has expired or is revoked; then its name is free', async () => {
    const ours = tokens();
    const life = { typed: '1d', ms: 24 * 3_600_000 };
    const made = await ours.create({ name: 'ci', permissions: ['deploy:staging'], life }, alice);
    const secret = (await ours.fetch(claimOf(made.link)))?.secret ?? '';
    later(life.ms - 1);
    expect(await ours.authenticate(secret)).to.not.equal(undefined);
    const again = await ours.create({ name: 'ci', permissions: ['x'] }, alice).catch((error: unknown) => String(error));
    expect(again).to.include('token.taken');
    later(1);
    expect(await ours.authenticate(secret)).to.equal(undefined);
    const next = await ours.create({ name: 'ci', permissions: ['deploy:staging'] }, alice);
    const other = (await ours.fetch(claimOf(next.link)))?.secret ?? '';
    expect(await ours.authenticate(secret)).to.equal(undefined);
    await ours.revoke('ci');
    expect(await ours.authenticate(other)).to.equal(undefined);
    expect(await ours.revoke('ci').catch((error: unknown) => String(error))).to.include('token.unknown');
  });

  it('takes what it asked for with it, so that the next of its name has not asked for that', async () => {
    const ours = tokens();
    const proposals = createProposalStore(db, () => `a${++codes}`);
    let codes = 0;
    const ask = async (name: string): Promise<string> => {
      const person = { id: `api:${name}`, chat: 'api', name };
      const room = { chat: 'api', room: name, private: false };
      const wish = {
        kind: 'approve' as const,
        person,
        room,
        text: 'deploy',
        permission: 'x',
        expiresAt: new Date('2027-01-01'),
        places: [],
      };
      return (await proposals.open(wish)).code;
    };
    await ours.create({ name: 'ci', permissions: ['deploy:staging'] }, alice);
    await ours.create({ name: 'other', permissions: ['deploy:staging'] }, alice);
    const [mine, theirs] = [await ask('ci'), await ask('other')];
    await ours.revoke('ci');
    expect(await proposals.find(mine, undefined, time)).to.equal(undefined);
    expect((await proposals.find(theirs, undefined, time))?.person.id).to.equal('api:other');
    later(400 * 24 * 3_600_000);
    const again = await ask('other');
    await ours.create({ name: 'other', permissions: ['deploy:staging'] }, alice);
    expect(await proposals.find(again, undefined, new Date('2026-12-01'))).to.equal(undefined);
  });

  it('gives out no right to give out rights', async () => {
    const ours = tokens();
    for (const permission of ['access:grant', 'access:*', 'token:manage', 'web:invite']) {
      const refused = await ours.create({ name: 'wide', permissions: [permission] }, alice).catch(String);
      expect(refused, permission).to.include('token.people');
    }
  });

  it('notes when it was last used', async () => {
    const ours = tokens();
    const made = await ours.create({ name: 'ci', permissions: ['deploy:staging'] }, alice);
    expect((await ours.list()).map(({ isFetched }) => isFetched)).to.deep.equal([false]);
    const secret = (await ours.fetch(claimOf(made.link)))?.secret ?? '';
    later(1000);
    await ours.authenticate(secret);
    const used = time;
    later(1000);
    await ours.authenticate(secret);
    const [listed] = await ours.list();
    expect(listed).to.deep.include({ isFetched: true, lastUsedAt: used, madeBy: { id: 'web:1', name: 'alice' } });
  });

  it('gives a key to one request of a token, until it is freed', async () => {
    const store = createApiRequestStore(db);
    const once = { key: 'build-1', commandHash: 'abc' };
    const requests = Array.from({ length: 10 }, (_, at) => ({ id: `k${at}`, personId: 'api:ci', at: time, once }));
    const opened = await Promise.all(requests.map((request) => store.open(request)));
    expect(opened.filter(Boolean)).to.have.lengthOf(1);
    const first = requests[opened.indexOf(true)];
    expect(await store.withKey('api:ci', 'build-1')).to.deep.equal(first);
    expect(await store.withKey('api:other', 'build-1')).to.equal(undefined);
    expect(await store.open({ id: 'o', personId: 'api:other', at: time, once })).to.equal(true);
    await store.freeKey(first?.id ?? '');
    expect(await store.withKey('api:ci', 'build-1')).to.equal(undefined);
    expect(await store.get(first?.id ?? '')).to.deep.include({ personId: 'api:ci' });
    expect(await store.open({ id: 'next', personId: 'api:ci', at: time, once })).to.equal(true);
  });

  it('keeps what it is told, whatever a program said', async () => {
    const store = createApiRequestStore(db);
    await store.open({ id: 'odd', personId: 'api:ci', at: time });
    await store.say('odd', 'a', { kind: 'card', tone: 'bad', title: 'failed', text: `\0ended ${'😀'.slice(0, 1)} …` });
    const [message] = await store.since('odd', 0);
    expect(message?.content).to.deep.include({ text: 'ended \ufffd …' });
  });

  it('keeps what a request is told, the newest under each key', async () => {
    const store = createApiRequestStore(db);
    const room = { chat: 'web', room: 'ops' };
    await store.open({ id: 'r1', personId: 'api:ci', at: time, room });
    await store.open({ id: 'r2', personId: 'api:ci', at: new Date(time.getTime() + 1000) });
    expect(await store.get('r1')).to.deep.equal({ id: 'r1', personId: 'api:ci', at: time, room });
    await store.say('r1', 'a', 'one');
    await store.say('r1', 'b', 'two');
    const first = await store.since('r1', 0);
    expect(first.map(({ content }) => content)).to.deep.equal(['one', 'two']);
    await store.say('r1', 'a', 'three');
    const news = await store.since('r1', first.at(-1)?.revision ?? 0);
    expect(news.map(({ key, content }) => [key, content])).to.deep.equal([['a', 'three']]);
    expect(await store.since('r2', 0)).to.deep.equal([]);
    expect(await store.state('r1')).to.deep.equal({});
    await store.purge(new Date(time.getTime() + 1));
    expect(await store.get('r1')).to.equal(undefined);
    expect(await store.get('r2')).to.not.equal(undefined);
  });
});
