import { expect } from 'chai';
import fc from 'fast-check';
import { card, mention, plain } from '../../src/bot/card.ts';
import { foldName } from '../../src/domain/history/fold.ts';
import { createHistory } from '../../src/domain/history/history.ts';
import type { History, MessageStore, NewMessage, SearchRequest } from '../../src/domain/history/ports.ts';
import { prepareMessage } from '../../src/domain/history/prepare.ts';
import type { Database } from '../../src/storage/database.ts';
import { createMessageStore } from '../../src/storage/messages.ts';
import { eachDatabase } from '../support/database.ts';

const NOW = new Date('2026-05-10T12:00:00Z');
const DAY = 86_400_000;

const said: NewMessage = {
  chat: 'web',
  room: 'ops',
  personId: 'web:1',
  personName: 'Alice',
  at: NOW,
  text: '',
  fromRobot: false,
  addressed: false,
  private: false,
};

describe('messages', () => {
  eachDatabase((open) => {
    let db: Database;
    let store: MessageStore;
    let history: History;

    before(async function () {
      this.timeout(60_000);
      db = await open();
    });

    beforeEach(async () => {
      await db.pool.query('truncate messages, rooms, room_members, speakers restart identity cascade');
      store = createMessageStore(db, prepareMessage, foldName);
      history = createHistory({ store, escape: plain, link: (message) => `/m/${message.id}` });
    });

    const say = (text: string, changes: Partial<NewMessage> = {}) => store.record({ ...said, text, ...changes });

    async function find(text: string, viewer = 'web:9', more: Partial<SearchRequest> = {}): Promise<string[]> {
      const result = await history.search({ text, viewer, now: NOW, ...more });
      return result.kind === 'found' ? result.hits.map((hit) => hit.message.text) : [];
    }

    it('keeps what was said, redacted, with the row id as message id where the chat has none', async () => {
      const { id, isNew } = await say('password=hunter2 in `x`', { thread: '7', clientId: 'c' });
      expect(isNew).to.equal(true);
      const stored = await store.get(id);
      expect(stored).to.deep.include({
        messageId: String(id),
        text: 'password=[redacted: password] in `x`',
        thread: '7',
      });
      expect(stored?.at).to.deep.equal(NOW);
      expect(await store.find('web', 'ops', String(id))).to.deep.equal(stored);
      expect(await store.findByClientId('web:1', 'c')).to.deep.equal(stored);
    });

    it('stores one message once, however often and at once it comes', async () => {
      const twice = await Promise.all([say('a', { clientId: 'x' }), say('a', { clientId: 'x' })]);
      expect(twice[0].id).to.equal(twice[1].id);
      expect(twice.filter(({ isNew }) => isNew)).to.have.length(1);
      const post = { fromRobot: true, personId: 'robot', personName: 'Shipmate', nonce: 'n' };
      const [first, second] = [await say('b', post), await say('b', { ...post, room: 'dev' })];
      expect(second).to.deep.equal({ id: first.id, isNew: false });
      expect((await store.findByNonce('web', 'n'))?.id).to.equal(first.id);
      expect((await say('c', { messageId: '1.5', chat: 'slack' })).isNew).to.equal(true);
      expect((await say('c', { messageId: '1.5', chat: 'slack' })).isNew).to.equal(false);
      expect((await say('d', { clientId: 'x', personId: 'web:2' })).isNew).to.equal(true);
    });

    it('finds a role by its name, and whom a text mentions by their name alone', async () => {
      const alice = mention({ id: 'slack:U012AB3CD', name: 'alice' });
      const options = [{ label: 'password=hunter2', command: 'x' }];
      const content = card({
        title: 'A key',
        text: `pushed by ${alice}`,
        speaker: { name: 'Guardian' },
        choices: [{ label: 'c', options }],
      });
      const { id } = await say('', { content, fromRobot: true });
      expect(await find('guardian')).to.have.length(1);
      expect(await find('"by @alice"')).to.have.length(1);
      expect(await find('U012AB3CD')).to.deep.equal([]);
      expect(JSON.stringify((await store.get(id))?.content))
        .to.contain('person:slack:U012AB3CD')
        .and.not.contain('hunter2');
    });

    it('gives ids in the order in which messages can be seen', async () => {
      const ids = await Promise.all(Array.from({ length: 30 }, (_, at) => say(`m${at}`)));
      const page = await store.page({ chat: 'web', room: 'ops', limit: 100 });
      expect(page.map(({ id }) => id)).to.deep.equal(ids.map(({ id }) => id).sort((a, b) => a - b));
    });

    it('pages both ways, in threads and out of them', async () => {
      for (let at = 1; at <= 6; at++) await say(`m${at}`, at > 4 ? { thread: '2' } : {});
      const texts = async (request: object) =>
        (await store.page({ chat: 'web', room: 'ops', limit: 2, ...request })).map(({ text }) => text);
      expect(await texts({})).to.deep.equal(['m5', 'm6']);
      expect(await texts({ before: 5 })).to.deep.equal(['m3', 'm4']);
      expect(await texts({ after: 1 })).to.deep.equal(['m2', 'm3']);
      expect(await texts({ thread: null })).to.deep.equal(['m3', 'm4']);
      expect(await texts({ thread: '2', limit: 9 })).to.deep.equal(['m2', 'm5', 'm6']);
      expect((await store.threads('web', 'ops', ['1', '2']))[0]).to.deep.include({
        thread: '2',
        replies: 2,
        lastId: 6,
      });
    });

    it('changes and deletes in place', async () => {
      await say('first words');
      expect(await store.update('web', 'ops', '1', 'other words')).to.equal(true);
      expect(await find('first')).to.deep.equal([]);
      expect(await find('other')).to.deep.equal(['other words']);
      expect((await store.get(1))?.editedAt).to.be.instanceOf(Date);
      expect(await store.remove('web', 'ops', '1')).to.equal(true);
      expect(await store.remove('web', 'ops', '1')).to.equal(false);
      expect(await store.update('web', 'ops', '1', 'x')).to.equal(false);
    });

    it('hands over what a lost replica left undone, once', async () => {
      const one = await say('deploy', { owner: 'r1' });
      const two = await say('more', { owner: 'r1' });
      await say('else', { owner: 'r2' });
      await say('nobody has to');
      await store.markHandled(one.id);
      expect((await store.claimUnhandledOf('r1', 'r3')).map(({ id }) => id)).to.deep.equal([two.id]);
      expect(await store.claimUnhandledOf('r1', 'r4')).to.deep.equal([]);
      expect((await store.get(two.id))?.owner).to.equal('r3');
    });

    it('knows rooms, who is in them, and what is unread', async () => {
      await store.saveRoom({ chat: 'web', id: 'ops', name: 'ops', private: false });
      await store.saveRoom({ chat: 'web', id: 'd1', name: 'Alice, Bob', private: true, members: ['web:1', 'web:2'] });
      await say('hello');
      await say('psst', { room: 'd1', private: true });
      const ids = async (who: string) => (await store.roomsOf('web', who)).map(({ id }) => id);
      expect(await ids('web:2')).to.have.members(['ops', 'd1']);
      expect(await ids('web:3')).to.deep.equal(['ops']);
      expect(await store.activity('web', 'web:2', new Map())).to.have.deep.members([
        { room: 'ops', lastId: 1, unread: 1 },
        { room: 'd1', lastId: 2, unread: 1 },
      ]);
      expect(await store.activity('web', 'web:2', new Map([['d1', 2]]))).to.deep.include({
        room: 'd1',
        lastId: 2,
        unread: 0,
      });
      expect(await store.activity('web', 'web:3', new Map())).to.have.length(1);
      expect((await store.activity('web', 'web:1', new Map())).every(({ unread }) => unread === 0)).to.equal(true);
    });

    describe('finding', () => {
      const line = 'connect ECONNREFUSED 10.0.3.7:5432 from payments-api v1.4.2';

      for (const word of [
        'ECONNREFUSED',
        'econnrefused',
        'refused',
        'ECONN',
        '10.0.3.7',
        '0.3.7',
        '10.0.3.7:5432',
        '5432',
        'payments-api',
        'payments',
        'api',
        'v1.4.2',
        '1.4.2',
        'connect',
        'conn',
        '"econnrefused 10.0.3.7"',
        'api,',
        '(payments-api)',
        'payments-api?',
        'v1.4.2 connect',
        '-staging api',
        'from payments',
      ]) {
        it(`${word} finds it`, async () => {
          await say(line);
          await say('nothing of that kind');
          expect(await find(word)).to.deep.equal([line]);
        });
      }

      for (const word of [
        'refusing',
        '10.0.3.8',
        'payments-web',
        'v1.4.3',
        '"connect refused"',
        'connect -api',
        'api -"from payments-api"',
      ]) {
        it(`${word} does not`, async () => {
          await say(line);
          expect(await find(word)).to.deep.equal([]);
        });
      }

      it('reads escaped Markdown, accents, other scripts and cards', async () => {
        await say('payments\\-api is \\_down\\_ in **Zürich**');
        await say('部署失败了');
        await say('', {
          content: { kind: 'card', title: 'Disk full', tone: 'bad', fields: [{ name: 'Node', value: 'web\\-2' }] },
          fromRobot: true,
        });
        expect(await find('payments-api zurich')).to.have.length(1);
        expect(await find('失败')).to.deep.equal(['部署失败了']);
        expect(await find('disk web-2')).to.deep.equal(['Disk full\nNode: web\\-2']);
      });

      it('takes any punctuation', async function () {
        this.timeout(30_000);
        await say(`it's "quoted" & 100% (odd) \\ : * ! | <-> done`);
        for (const text of [
          `it's`,
          '100%',
          '\\',
          "'",
          '& | !',
          '<->',
          ':*',
          "a' & 'b",
          '"',
          '""',
          '-',
          '--',
          "'); drop table messages; --",
        ]) {
          await find(text);
        }
        expect(await find(`it's`)).to.have.length(1);
        expect(await find('100%')).to.have.length(1);
        expect(await find('"<-> done"')).to.have.length(1);
        await fc.assert(
          fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 30 }), async (text) => {
            await say(text);
            await find(text);
          }),
          { numRuns: 60 },
        );
      });

      it('filters by person, room and time', async () => {
        await say('timeout one', { at: new Date(NOW.getTime() - 10 * DAY) });
        await say('timeout two', { room: 'dev', personId: 'web:2', personName: 'Bob Smith' });
        await say('timeout three');
        expect(await find('timeout from:alice')).to.deep.equal(['timeout three', 'timeout one']);
        expect(await find('timeout from:@ALICE since:7d')).to.deep.equal(['timeout three']);
        expect(await find('timeout until:7d')).to.deep.equal(['timeout one']);
        expect(await find('timeout from:"bob smith"')).to.deep.equal(['timeout two']);
        expect(await find('timeout from:bob')).to.deep.equal(['timeout two']);
        expect(await find('timeout from:web:2')).to.deep.equal(['timeout two']);
        expect(await find('from:me', 'web:2')).to.deep.equal(['timeout two']);
        expect(await find('timeout in:#dev')).to.deep.equal(['timeout two']);
        expect(await find('timeout from:carol')).to.deep.equal([]);
        const nothing = await history.search({ text: 'timeout from:carol', viewer: 'web:9', now: NOW });
        expect(nothing).to.deep.equal({ kind: 'nothing', hints: [{ kind: 'from' }] });
      });

      it('finds frequent words as well', async function () {
        this.timeout(30_000);
        await db.pool.query(
          `insert into rooms (chat, id, name, folded_name, private) values ('web', 'ops', 'ops', 'ops', false)`,
        );
        await db.pool.query(`insert into messages (chat, room, message_id, person_id, person_name, at, text, from_robot, addressed,
          private, search_text, lexemes) select 'web', 'ops', 'b' || n, 'web:1', 'Alice', '2026-05-01', 'deploy ' || n, false, false,
          false, 'deploy ' || n, array_to_tsvector(array['deploy', n::text]) from generate_series(1, 3000) n`);
        const result = await history.search({ text: 'deploy', viewer: 'web:9', now: NOW });
        expect(result).to.deep.include({ kind: 'found', total: 200, capped: true, more: true });
        expect((await find('deploy'))[0]).to.equal('deploy 3000');
        expect((await find('deploy page:20')).at(-1)).to.equal('deploy 2801');
      });

      it('does not find its own questions and answers, nor what only tells what can be typed', async () => {
        await say('shipmate history search needle', { addressed: true });
        await say('', {
          content: { kind: 'card', title: 'History: 1 message', tone: 'neutral', text: 'needle' },
          fromRobot: true,
        });
        await say('/history search needle', { addressed: true });
        await say('', {
          content: { kind: 'card', title: 'Hello', tone: 'neutral', text: '- `history search needle`', isGuide: true },
          fromRobot: true,
        });
        await say('the needle');
        expect(await find('needle')).to.deep.equal(['the needle']);
        expect(await find('since:7d')).to.deep.equal(['the needle']);
      });
    });

    describe('private conversations', () => {
      const dm = { room: 'd1', private: true, members: ['web:1', 'web:2'] };

      it('are found only by those who were in them', async () => {
        await say('secret plan', dm);
        expect(await find('plan', 'web:1')).to.have.length(1);
        expect(await find('plan', 'web:2')).to.have.length(1);
        expect(await find('plan', 'web:3')).to.deep.equal([]);
        expect(await find('in:d1', 'web:3')).to.deep.equal([]);
        expect(await find('from:alice', 'web:3')).to.deep.equal([]);
        expect(await history.last({ viewer: 'web:3', chat: 'web', room: 'd1', limit: 5 })).to.have.property(
          'kind',
          'unknown-room',
        );
      });

      it('are not found by who came later or had left', async () => {
        await say('plan one', dm);
        await say('plan two', { ...dm, members: ['web:1', 'web:3'] });
        await say('plan three', { ...dm, members: ['web:1', 'web:2', 'web:3'] });
        expect(await find('plan', 'web:1')).to.have.length(3);
        expect(await find('plan', 'web:2')).to.have.members(['plan one', 'plan three']);
        expect(await find('plan', 'web:3')).to.have.members(['plan two', 'plan three']);
        await store.leave('web', 'd1', 'web:3');
        await say('plan four', { ...dm, members: ['web:1', 'web:2'] });
        expect(await find('plan', 'web:3')).to.have.members(['plan two', 'plan three']);
        const texts = (await store.page({ chat: 'web', room: 'd1', viewer: 'web:3', limit: 9 })).map(
          ({ text }) => text,
        );
        expect(texts).to.deep.equal(['plan two', 'plan three']);
      });

      it('stay private when the room is named public later, and a public room can become private', async () => {
        await say('plan', dm);
        await say('plan again', { room: 'd1', private: false });
        expect(await find('plan', 'web:3')).to.deep.equal([]);
        await say('open word');
        await store.saveRoom({ chat: 'web', id: 'ops', name: 'ops', private: true, members: ['web:1', 'web:4'] });
        expect(await find('open', 'web:3')).to.deep.equal([]);
        expect(await find('open', 'web:4')).to.deep.equal(['open word']);
      });

      it('are not shown where others would see them', async () => {
        await say('secret plan', dm);
        await say('robot here', { ...dm, personId: 'robot', personName: 'Shipmate', fromRobot: true });
        const ops = { shownIn: { chat: 'web', room: 'ops', private: false } };
        expect(await find('plan', 'web:1', ops)).to.deep.equal([]);
        const result = await history.search({ text: 'plan', viewer: 'web:1', now: NOW, ...ops });
        expect(result).to.deep.equal({ kind: 'nothing', hints: [{ kind: 'private' }] });
        const own = { room: 'd2', private: true, members: ['web:1', 'robot'] };
        await say('hello robot', own);
        const inOwn = { shownIn: { chat: 'web', room: 'd2', private: true } };
        expect(await find('plan', 'web:1', inOwn)).to.deep.equal(['secret plan']);
        await say('hello carol', { room: 'd3', private: true, members: ['web:1', 'web:3'] });
        expect(await find('plan', 'web:1', { shownIn: { chat: 'web', room: 'd3', private: true } })).to.deep.equal([]);
        const last = await history.last({ viewer: 'web:1', chat: 'web', room: 'd1', limit: 5, shownIn: ops.shownIn });
        expect(last.kind).to.equal('private-room');
      });

      it('include what was shown to one person alone', async () => {
        await say('only for bob', { fromRobot: true, personId: 'robot', personName: 'Shipmate', onlyTo: 'web:2' });
        expect(await find('bob', 'web:1')).to.deep.equal([]);
        expect(await find('bob', 'web:2')).to.have.length(1);
        expect(await find('bob', 'web:2', { shownIn: { chat: 'web', room: 'ops', private: false } })).to.deep.equal([]);
      });
    });

    it('deletes what is older than the configured days', async () => {
      await say('old', { at: new Date(NOW.getTime() - 31 * DAY) });
      await say('new');
      expect(await history.removeExpired(NOW)).to.equal(0);
      const keeping = createHistory({ store, escape: plain, link: () => undefined, keepDays: 30 });
      expect(await keeping.removeExpired(NOW)).to.equal(1);
      expect(await find('new')).to.have.length(1);
    });
  });
});
