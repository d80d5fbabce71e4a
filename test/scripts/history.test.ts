import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Card, plain } from '../../src/bot/card.ts';
import { foldName } from '../../src/domain/history/fold.ts';
import { createHistory } from '../../src/domain/history/history.ts';
import { prepareMessage } from '../../src/domain/history/prepare.ts';
import type { Database } from '../../src/storage/database.ts';
import { createMessageStore } from '../../src/storage/messages.ts';
import { inMemoryCommands } from '../support/commands.ts';
import { testDatabase } from '../support/database.ts';
import { Helper, type Room } from '../support/room.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/history.ts', import.meta.url));
const NOW = new Date('2026-05-10T12:00:00Z');

describe('history commands', () => {
  let db: Database;
  let room: Room;

  before(async function () {
    this.timeout(60_000);
    db = await testDatabase();
    const store = createMessageStore(db, prepareMessage, foldName);
    const history = createHistory({ store, escape: plain, link: (message) => `https://chat/m/${message.id}` });
    const alice = {
      chat: 'test',
      room: 'ops',
      personId: 'test:alice',
      personName: 'alice',
      fromRobot: false,
      addressed: false,
    };
    const bob = { ...alice, personId: 'test:bob', personName: 'bob' };
    const at = (minutes: number): Date => new Date(NOW.getTime() - minutes * 60_000);
    await history.record({ ...alice, at: at(20_000), text: 'psql: connection refused, months ago', private: false });
    for (let n = 1; n <= 12; n++) {
      await history.record({ ...bob, room: 'dev', at: at(100 - n), text: `build ${n} is flaky`, private: false });
    }
    await history.record({ ...alice, at: at(5), text: 'dial tcp 10.0.3.7:5432: connection refused', private: false });
    const two = ['test:alice', 'test:bob'];
    await history.record({
      ...alice,
      room: 'dm',
      at: at(4),
      text: 'the launch is friday',
      private: true,
      members: two,
    });
    const commands = inMemoryCommands({ services: { history }, now: () => NOW });
    room = await new Helper(SCRIPT).createRoom({ name: 'ops', prepare: commands.prepare });
  });
  after(async () => {
    await room.destroy();
    await db.close();
  });

  /** Says it, and gives the one answer to it. */
  async function say(who: string, text: string): Promise<Card> {
    const before = room.chat.posts.length;
    await room.user.say(who, `hubot ${text}`);
    const [, answer, more] = room.chat.posts.slice(before);
    expect(more).to.equal(undefined);
    if (answer?.content === undefined) throw new Error('no answer');
    const { content } = answer;
    return typeof content === 'string' ? { kind: 'card', tone: 'neutral', title: '', text: content } : content;
  }

  it('finds a phrase by person and time, with link and mark', async () => {
    const card = await say('bob', 'history search "connection refused" from:alice since:7d');
    expect(card.title).to.equal('History: 1 message');
    expect(card.text).to.match(
      /^- \[2026-05-10 11:55 UTC\]\(https:\/\/chat\/m\/\d+\) · \*\*alice\*\* in ops: dial tcp 10\.0\.3\.7\\:5432\\: \*\*connection refused\*\*$/,
    );
  });

  it('takes the filters wherever they stand, and curly quotes alone', async () => {
    expect((await say('bob', 'history search from:alice “connection refused”')).title).to.equal('History: 2 messages');
    expect((await say('bob', 'history search in:dev build flaky since:1d')).title).to.equal('History: 12 messages');
    expect((await say('bob', 'history search "refused connection"')).title).to.equal('History: nothing found');
  });

  it('leads on to older ones', async () => {
    const first = await say('bob', 'history search flaky');
    expect(first.actions).to.deep.equal([{ label: 'More', command: 'history search flaky page:2' }]);
    const second = await say('bob', first.actions?.[0]?.command ?? '');
    expect(second.title).to.equal('History: 12 messages, page 2');
    expect(second.text?.split('\n')).to.have.length(2);
    expect(second.actions).to.deep.equal([]);
  });

  it('shows the latest of a room', async () => {
    const card = await say('alice', 'history in:dev 5');
    expect(card.title).to.equal('History: dev');
    expect(card.text).to.contain('build 12 is flaky').and.contain('build 8 ').and.not.contain('build 7 ');
    const older = await say('alice', card.actions?.[0]?.command ?? '');
    expect(older.text).to.contain('build 7 ').and.not.contain('build 8 ');
    expect((await say('alice', 'history')).text).to.contain('connection refused');
    expect((await say('alice', 'history last 1')).text?.split('\n')).to.have.length(1);
  });

  it('says what to try when nothing is found', async () => {
    expect((await say('bob', 'history search flaky from:alice')).text).to.contain('Others said something like it');
    expect((await say('bob', 'history search flaky in:ops')).text).to.contain('in other rooms');
    expect((await say('bob', 'history search flaky until:30d')).text).to.contain('from another time');
    expect((await say('bob', 'history search flaky nonsense')).text).to.equal('Leave out “nonsense”.');
    expect((await say('bob', 'history search zzz')).text).to.contain('fewer words');
    const nothing = await say('bob', 'history search "connection lost" from:alice since:7d');
    expect(nothing.text).to.equal('Leave out “connection lost”.');
    expect((await say('bob', 'history search flaky from:alice in:ops')).text).to.contain('leave out all of them');
    expect((await say('bob', 'history search zzz yyy from:carol')).text)
      .to.contain('has “zzz” in it: leave it out')
      .and.contain('has “yyy” in it');
    expect((await say('bob', 'history search')).text).to.contain('You did not say what to look for');
    expect((await say('bob', 'history in:nowhere')).text).to.contain('There is no room nowhere that you may read');
  });

  it('keeps private conversations to those who were in them', async () => {
    expect((await say('alice', 'history search launch')).text).to.contain('ask me in private');
    expect((await say('carol', 'history search launch')).text).to.contain('fewer words');
    expect((await say('alice', 'history in:dm')).text).to.contain('others would see it here');
    expect((await say('carol', 'history in:dm')).text).to.contain('There is no room');
  });
});
