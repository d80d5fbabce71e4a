import { expect } from 'chai';
import { createSlackApi } from '../../../src/adapters/chat/slack/api.ts';
import { createRooms, type KnownRooms } from '../../../src/adapters/chat/slack/rooms.ts';
import type { Room } from '../../../src/bot/chat.ts';
import { quiet } from '../../support/database.ts';
import { failure } from '../../support/failure.ts';
import { collectingLog } from '../../support/log.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';

describe('Slack rooms', () => {
  let slack: SlackServer;
  let rooms: KnownRooms;
  let saved: Room[];
  let log: ReturnType<typeof collectingLog>;
  let now: number;
  /** As the database has them. */
  let members: Map<string, readonly string[]>;

  beforeEach(async () => {
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addPerson({ name: 'bob' });
    saved = [];
    members = new Map();
    log = collectingLog();
    now = Date.now();
    const workspace = { chat: 'slack', botToken: slack.botToken, apiUrl: slack.apiUrl };
    const api = createSlackApi({
      workspace,
      robotName: 'shipmate',
      log: quiet,
      metrics: { limited: () => undefined },
      patienceMs: 50,
    });
    rooms = createRooms({
      chat: 'slack',
      api,
      ownId: () => slack.bot.id,
      postsAnywhere: () => true,
      personName: async (userId) => slack.person(userId).name,
      now: () => new Date(now),
      log,
      saved: async (room) => {
        saved.push(room);
        if (room.members) members.set(room.id, room.members);
      },
      members: async (channel) => members.get(channel),
    });
  });
  afterEach(async () => {
    slack.assertNoProblems();
    await slack.close();
  });

  const calls = (method: string) => slack.calls.filter((call) => call.method === method).length;
  const person = (who: string) => `slack:${slack.person(who).id}`;

  describe('who may read them', () => {
    it('everybody, in public ones', async () => {
      const { id } = slack.addChannel({ name: 'ops', members: ['alice'] });
      expect(await rooms.room(id)).to.deep.equal({ chat: 'slack', id, name: 'ops', private: false });
      expect(calls('conversations.members')).to.equal(0);
      expect(saved).to.have.length(1);
    });

    for (const kind of ['private', 'mpim'] as const) {
      it(`their members, in others (${kind}); the robot is none`, async () => {
        const { id } = slack.addChannel({ name: 'secret', kind, members: ['alice', 'bob'] });
        const room = await rooms.room(id);
        expect(room).to.deep.include({ private: true, members: [person('alice'), person('bob')] });
      });
    }

    for (const as of ['unknown_method', 'missing_scope', 404] as const) {
      it(`nobody is known to, where Slack says nothing about channels (${as})`, async () => {
        slack.fail('conversations.info', { as, times: 2 });
        expect(await rooms.room('C1')).to.equal(undefined);
        expect(await rooms.reachable('C2')).to.equal(true);
        expect(log.lines).to.have.length(1);
        expect(log.lines[0]?.fields).to.deep.equal({ chat: 'slack', problem: as === 404 ? 'status 404' : as });
        const { id } = slack.addChannel({ name: 'ops', members: ['alice'] });
        expect(await rooms.room(id)).to.include({ name: 'ops' });
        expect(await rooms.reachable('CNOTHERE')).to.equal(false);
      });
    }

    it('one person, in a direct conversation', async () => {
      const { id } = slack.dm('alice');
      expect(await rooms.room(id)).to.deep.equal({
        chat: 'slack',
        id,
        name: '@alice',
        private: true,
        direct: true,
        members: [person('alice')],
      });
    });

    it('their members, if another organisation shares them', async () => {
      const { id } = slack.addChannel({ name: 'shared', shared: true, members: ['alice'] });
      expect(await rooms.room(id)).to.deep.include({ private: true, members: [person('alice')] });
    });

    it('nobody knows, if Slack does not say', async () => {
      const { id } = slack.addChannel({ name: 'secret', kind: 'private', members: ['alice'] });
      slack.fail('conversations.members', { as: 'missing_scope' });
      const room = await rooms.room(id);
      expect(room?.private).to.equal(true);
      expect(room).not.to.have.property('members');
    });

    it('all of hundreds', async () => {
      for (let n = 0; n < 450; n++) slack.addPerson({ name: `p${n}` });
      const members = Array.from({ length: 450 }, (_, n) => `p${n}`);
      const { id } = slack.addChannel({ name: 'crowd', kind: 'private', members });
      expect((await rooms.room(id))?.members).to.have.length(450);
      expect(calls('conversations.members')).to.equal(3);
    });

    it('whoever comes and goes', async () => {
      const { id } = slack.addChannel({ name: 'secret', kind: 'private', members: ['alice'] });
      await rooms.room(id);
      // Whichever replica heard of it.
      members.set(id, [person('bob')]);
      expect((await rooms.room(id))?.members).to.deep.equal([person('bob')]);
      expect(calls('conversations.info')).to.equal(1);
    });
  });

  describe('are asked for', () => {
    it('once, however many ask at the same time, and again after a while', async () => {
      const { id } = slack.addChannel({ name: 'ops' });
      await Promise.all([rooms.room(id), rooms.room(id), rooms.reachable(id)]);
      expect(calls('conversations.info')).to.equal(1);
      now += 11 * 60_000;
      await rooms.room(id);
      expect(calls('conversations.info')).to.equal(2);
    });

    it('when something is said to have changed', async () => {
      const { id } = slack.addChannel({ name: 'ops' });
      await rooms.room(id);
      rooms.forget(id);
      await rooms.room(id);
      expect(calls('conversations.info')).to.equal(2);
    });

    it('not again and again if Slack does not know them', async () => {
      expect(await rooms.room('C0NOWHERE')).to.equal(undefined);
      expect(await rooms.reachable('C0NOWHERE')).to.equal(false);
      expect(calls('conversations.info')).to.equal(1);
      now += 31_000;
      await rooms.room('C0NOWHERE');
      expect(calls('conversations.info')).to.equal(2);
    });

    it('and what was known counts for a while when Slack does not answer', async () => {
      const { id } = slack.addChannel({ name: 'ops', members: ['alice'] });
      await rooms.room(id);
      slack.fail('conversations.info', { as: 500, times: Infinity });
      now += 600_001;
      expect(await rooms.room(id)).to.include({ private: false });
      now += 3_600_000;
      const outcome = await rooms.room(id).catch(() => 'not known');
      expect(outcome).to.equal('not known');
      slack.mend();
    });

    it('and what Slack does not answer is not remembered', async () => {
      const { id } = slack.addChannel({ name: 'ops' });
      slack.fail('conversations.info', { as: 500, times: Infinity });
      expect(await failure(rooms.room(id))).to.be.instanceOf(Error);
      slack.mend();
      expect((await rooms.room(id))?.name).to.equal('ops');
    });
  });

  describe('as people write them', () => {
    it('by name, with a sign, by id, and with the name of the chat', async () => {
      const { id } = slack.addChannel({ name: 'ops' });
      for (const written of ['ops', '#ops', 'OPS', id, 'slack:ops', `slack:${id}`, `<#${id}|ops>`]) {
        expect(await rooms.resolve(written), written).to.equal(id);
      }
      expect(calls('conversations.list')).to.equal(1);
    });

    it('by person, for the direct conversation', async () => {
      const direct = await rooms.resolve(person('alice'));
      expect(direct).to.equal(slack.dm('alice').id);
      expect(await rooms.direct(slack.person('alice').id)).to.equal(direct);
      expect(calls('conversations.open')).to.equal(1);
    });

    it('not at all, if there is none: looked for once in a while', async () => {
      expect(await rooms.resolve('nowhere')).to.equal(undefined);
      expect(await rooms.resolve('nowhere')).to.equal(undefined);
      expect(calls('conversations.list')).to.equal(1);
      slack.addChannel({ name: 'nowhere' });
      now += 21_000;
      expect(await rooms.resolve('nowhere')).to.equal(slack.channel('nowhere').id);
    });

    it('by their new name, once they have one', async () => {
      const { id } = slack.addChannel({ name: 'ops' });
      await rooms.resolve('ops');
      await rooms.room(id);
      await rooms.renamed(id, 'operations');
      expect(await rooms.resolve('operations')).to.equal(id);
      expect(rooms.resolved('ops')).to.equal(undefined);
      expect((await rooms.room(id))?.name).to.equal('operations');
      expect(saved.at(-1)?.name).to.equal('operations');
    });

    it('out of thousands', async () => {
      for (let n = 0; n < 2_500; n++) slack.addChannel({ name: `c${n}` });
      expect(await rooms.resolve('c2499')).to.equal(slack.channel('c2499').id);
      expect(calls('conversations.list')).to.equal(3);
    });
  });

  it('can be posted to: public ones and those that the robot is in, unless they are archived', async () => {
    const { id: open } = slack.addChannel({ name: 'open', bot: false });
    const { id: old } = slack.addChannel({ name: 'old', archived: true });
    const { id: secret } = slack.addChannel({ name: 'secret', kind: 'private', bot: false });
    expect(await rooms.reachable(open)).to.equal(true);
    expect(await rooms.reachable(old)).to.equal(false);
    expect(await rooms.reachable(secret)).to.equal(false);
  });
});
