import { expect } from 'chai';
import { Adapter, type Robot } from 'hubot';
import { card } from '../../src/bot/card.ts';
import { type ChatAdapter, type Delivery, DeliveryDelayed, DeliveryRefused, type Room } from '../../src/bot/chat.ts';
import { createPosts, type PostsOptions, type PostTiming, type RunningPosts, retryDelay } from '../../src/bot/post.ts';
import type { Database } from '../../src/storage/database.ts';
import * as storage from '../../src/storage/migrations/0001-storage.ts';
import * as pacing from '../../src/storage/migrations/0008-post-pacing.ts';
import { createPostStore } from '../../src/storage/posts.ts';
import { eachDatabase, onServer, quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { collectingLog } from '../support/log.ts';

/** A chat in memory that recognises nonces, as good chats do, and fails on demand. */
class Chat extends Adapter implements ChatAdapter {
  readonly chat = 'test';
  readonly shown = new Map<string, { room: string; text: string }>();
  readonly nonces = new Map<string, string>();
  readonly order: string[] = [];
  calls = 0;
  /** Called before each delivery and update; throws what the chat is to throw. */
  before: (delivery: Delivery) => void | Promise<void> = () => undefined;
  /** Called after the message is there, before it is acknowledged. */
  after: (delivery: Delivery) => void | Promise<void> = () => undefined;

  constructor() {
    const robot: Robot = Object.create(null);
    super(robot);
  }
  async deliver(delivery: Delivery): Promise<{ messageId: string }> {
    this.calls++;
    await this.before(delivery);
    const known = this.nonces.get(delivery.nonce);
    const messageId = known ?? String(this.nonces.size + 1);
    if (known === undefined) {
      this.nonces.set(delivery.nonce, messageId);
      this.shown.set(messageId, { room: delivery.address.room, text: textOf(delivery) });
      this.order.push(textOf(delivery));
    }
    await this.after(delivery);
    return { messageId };
  }
  async update(delivery: Delivery, messageId: string): Promise<'updated' | 'gone'> {
    this.calls++;
    await this.before(delivery);
    const message = this.shown.get(messageId);
    if (!message) return 'gone';
    message.text = textOf(delivery);
    return 'updated';
  }
  permalink(): undefined {
    return undefined;
  }
  async room(): Promise<Room | undefined> {
    return undefined;
  }
  texts(room = 'ops'): string[] {
    return [...this.shown.values()].filter((message) => message.room === room).map((message) => message.text);
  }
}

function textOf(delivery: Delivery): string {
  return typeof delivery.content === 'string' ? delivery.content : delivery.content.title;
}

const OPS = { chat: 'test', room: 'ops' };
const FAST: Partial<PostTiming> = { pollMs: 50, firstRetryMs: 10, lastRetryMs: 40, attemptMs: 2_000 };

describe('posts', () => {
  const running: RunningPosts[] = [];
  afterEach(async () => {
    for (const posts of running.splice(0)) await posts.stop(1_000);
  });
  function start(db: Database, chat: Chat, more: Partial<PostsOptions> = {}): RunningPosts {
    const posts = createPosts({
      store: createPostStore(db),
      chat: (name) => (name === 'test' ? chat : undefined),
      replica: 'here',
      log: quiet,
      timing: FAST,
      ...more,
    });
    running.push(posts);
    posts.start();
    return posts;
  }

  eachDatabase(
    (open) => {
      let db: Database;
      let chat: Chat;
      beforeEach(async () => {
        db = await open();
        await db.pool.query('delete from post');
        chat = new Chat();
      });

      it('delivers at once and tells the recorder', async () => {
        const told: [string, string, string][] = [];
        const posts = start(db, chat, {
          onDelivered: (delivery, id, how) => void told.push([textOf(delivery), id, how]),
        });
        await posts.post({ ...OPS, thread: 't' }, card({ title: 'Hello\u0000' }), { onlyTo: 'test:1' });
        await eventually(() => told.length === 1);
        expect(told).to.deep.equal([['Hello\u0000', '1', 'posted']]);
      });

      it('updates the message of the same key in place', async () => {
        const posts = start(db, chat);
        for (let n = 1; n <= 5; n++) await posts.post(OPS, `state ${n}`, { key: 'alert:1' });
        await posts.post({ ...OPS, room: 'other' }, 'elsewhere', { key: 'alert:1' });
        await eventually(() => chat.texts()[0] === 'state 5' && chat.texts('other').length === 1);
        expect(chat.texts()).to.deep.equal(['state 5']);
      });

      it('takes up a message that is there already', async () => {
        const store = createPostStore(db);
        const posts = start(db, chat);
        const thread = { ...OPS, thread: 't' };
        chat.shown.set('9', { room: 'ops', text: 'half of i' });
        expect(await store.shown(thread, 'answer:1')).to.equal(undefined);
        await store.adopt(thread, 'answer:1', '9');
        await store.adopt(thread, 'answer:1', '9');
        expect(await store.shown(thread, 'answer:1')).to.equal('9');
        expect(await store.shown(OPS, 'answer:1')).to.equal(undefined);
        await posts.post(thread, 'all of it', { key: 'answer:1', answer: true });
        await eventually(() => chat.texts()[0] === 'all of it');
        expect(chat.texts()).to.deep.equal(['all of it']);
        expect(chat.calls).to.equal(1);
      });

      it('posts afresh what somebody deleted, with a new nonce', async () => {
        const posts = start(db, chat);
        await posts.post(OPS, 'one', { key: 'k' });
        await eventually(() => delivered(db));
        chat.shown.clear();
        await posts.post(OPS, 'two', { key: 'k' });
        await eventually(() => chat.texts().includes('two'));
        await eventually(() => delivered(db));
        await posts.post(OPS, 'three', { key: 'k' });
        await eventually(() => chat.texts().includes('three'));
        expect(chat.texts()).to.deep.equal(['three']);
        expect(chat.nonces.size).to.equal(2);
      });

      it('keeps the order of a room while the chat is down, and loses nothing', async () => {
        const log = collectingLog();
        const posts = start(db, chat, { log });
        let down = true;
        chat.before = () => {
          if (down) throw new DeliveryDelayed('down');
        };
        const wanted = Array.from({ length: 10 }, (_, n) => `line ${n}`);
        for (const text of wanted) await posts.post(OPS, text);
        await eventually(() => chat.calls >= 3);
        down = false;
        await eventually(() => chat.order.length === 10);
        expect(chat.order).to.deep.equal(wanted);
        expect(log.messages()).to.include('post delayed');
      });

      it('waits as long as the chat asks for, and holds up no other room', async () => {
        const posts = start(db, chat);
        const times: number[] = [];
        chat.before = (delivery) => {
          if (delivery.address.room !== 'ops') return;
          times.push(performance.now());
          if (times.length === 1) throw new DeliveryDelayed('slow down', { retryAfterMs: 300 });
        };
        await posts.post(OPS, 'first');
        await posts.post({ ...OPS, room: 'other' }, 'second');
        await eventually(() => chat.texts('other').length === 1);
        expect(chat.texts()).to.deep.equal([]);
        await eventually(() => chat.texts().length === 1);
        expect((times[1] ?? 0) - (times[0] ?? 0)).to.be.within(290, 2_000);
      });

      it('gives up what is refused, and goes on with what follows', async () => {
        const log = collectingLog();
        const posts = start(db, chat, { log });
        chat.before = (delivery) => {
          if (delivery.content === 'bad') throw new DeliveryRefused('not a member');
        };
        await posts.post(OPS, 'bad', { key: 'k' });
        await posts.post(OPS, 'good');
        await eventually(() => chat.texts().includes('good'));
        expect(log.messages()).to.deep.equal(['post refused by the chat']);
        const told = log.lines.find(({ message }) => message === 'post refused by the chat')?.fields;
        expect(told, 'words, and no place in the code')
          .to.include({ problem: 'not a member' })
          .and.not.have.property('err');
        const { rows } = await db.pool.query('select problem from post where failed_at is not null');
        expect(rows).to.deep.equal([{ problem: 'not a member' }]);
        await posts.post(OPS, 'better', { key: 'k' });
        await eventually(() => chat.texts().includes('better'));
      });

      it('does not let a mistake in an adapter block a room for ever', async () => {
        const log = collectingLog();
        const posts = start(db, chat, { log });
        chat.before = (delivery) => {
          if (delivery.content === 'poison') throw new TypeError('undefined is not a function');
        };
        await posts.post(OPS, 'poison');
        await posts.post(OPS, 'after');
        await eventually(() => chat.texts().includes('after'));
        expect(log.messages()).to.include('post given up');
      });

      it('delivers what was posted before it started, and what a chat that was missing is to show', async () => {
        const chats = new Map<string, Chat>();
        const posts = start(db, chat, { chat: (name) => chats.get(name) });
        await posts.post(OPS, 'early');
        await eventually(async () => (await db.pool.query('select from post where attempts > 0')).rowCount === 1);
        chats.set('test', chat);
        await eventually(() => chat.texts().includes('early'));
      });

      it('delivers again, with the same nonce, what a killed replica had under way', async () => {
        const store = createPostStore(db);
        await store.save(OPS, 'under way', {});
        const [claimed] = await store.claim('killed', 10, 60_000);
        if (!claimed) throw new Error('nothing was claimed');
        // The chat has it, but nobody wrote that down.
        await chat.deliver({ nonce: claimed.nonce, address: OPS, content: 'under way' });
        const posts = start(db, chat);
        posts.wake();
        expect(await store.claim('here', 10, 60_000)).to.deep.equal([]);
        await store.release('killed');
        posts.wake();
        await eventually(() => delivered(db));
        expect(chat.texts()).to.deep.equal(['under way']);
        expect(chat.calls).to.equal(2);
      });

      it('says that a post may have arrived, once it was claimed and its outcome is not known', async () => {
        const seen: (boolean | undefined)[] = [];
        const posts = start(db, chat);
        chat.before = ({ repeated }) => {
          seen.push(repeated);
          if (seen.length === 1) throw new DeliveryDelayed('the answer was lost', { retryAfterMs: 1 });
        };
        await posts.post(OPS, 'one');
        await eventually(() => delivered(db));
        await posts.post(OPS, 'two');
        await eventually(async () => chat.texts().length === 2 && (await delivered(db)));
        expect(seen).to.deep.equal([undefined, true, undefined]);
      });

      it('waits for its turn without counting a failed attempt, and keeps the order of the room', async () => {
        const log = collectingLog();
        const posts = start(db, chat, { log });
        const seen: (boolean | undefined)[] = [];
        let free = 0;
        chat.before = ({ repeated }) => {
          seen.push(repeated);
          const wait = free - performance.now();
          if (wait > 0)
            throw new DeliveryDelayed('one message at a time', { retryAfterMs: Math.ceil(wait), notSent: true });
          free = performance.now() + 60;
        };
        const texts = ['a', 'b', 'c'];
        for (const text of texts) await posts.post(OPS, text);
        await eventually(async () => chat.texts().length === 3 && (await delivered(db)));
        expect(chat.order).to.deep.equal(texts);
        expect(seen.length).to.be.greaterThan(3);
        expect(new Set(seen)).to.deep.equal(new Set([undefined]));
        expect(log.messages()).not.to.include('post delayed');
        const { rows } = await db.pool.query('select attempts, claims from post');
        expect(rows).to.deep.equal(texts.map(() => ({ attempts: 0, claims: 0 })));
      });

      it('answers people before it goes on with a flood, one post at a time', async () => {
        const posts = start(db, chat);
        const opened = Promise.withResolvers<void>();
        let atOnce = 0;
        let most = 0;
        chat.before = async () => {
          most = Math.max(most, ++atOnce);
          await opened.promise;
        };
        chat.after = () => void atOnce--;
        for (const text of ['alert 1', 'alert 2', 'alert 3']) await posts.post(OPS, text);
        await eventually(() => atOnce === 1);
        for (const text of ['answer 1', 'answer 2']) await posts.post(OPS, text, { key: text, answer: true });
        opened.resolve();
        await eventually(async () => chat.texts().length === 5 && (await delivered(db)));
        expect(chat.order).to.deep.equal(['alert 1', 'answer 1', 'answer 2', 'alert 2', 'alert 3']);
        expect(most).to.equal(1);
      });

      it('stands when the recorder fails', async () => {
        const log = collectingLog();
        const posts = start(db, chat, { log, onDelivered: () => Promise.reject(new Error('no room')) });
        await posts.post(OPS, 'x');
        await eventually(() => delivered(db));
        expect(log.messages()).to.deep.equal(['delivered post could not be recorded']);
      });

      it('takes secrets out before it stores', async () => {
        const posts = start(db, chat, { redact: (content) => (content === 'token' ? '…' : content) });
        await posts.post(OPS, 'token');
        await eventually(() => chat.texts().includes('…'));
        const { rows } = await db.pool.query('select content from post');
        expect(rows).to.deep.equal([{ content: '…' }]);
      });

      it('forgets old deliveries, and keeps what is still to come or to be updated', async () => {
        const posts = start(db, chat);
        await posts.post(OPS, 'old');
        await posts.post(OPS, 'keyed', { key: 'k' });
        await posts.post(OPS, 'an answer', { key: 'answer', answer: true });
        await eventually(() => delivered(db));
        await db.pool.query(`update post set delivered_at = now() - interval '2 days'`);
        await createPostStore(db).purge();
        expect((await db.pool.query('select key from post')).rows).to.deep.equal([{ key: 'k' }]);
      });
    },
    { '0001-storage': storage, '0008-post-pacing': pacing },
  );

  onServer(
    (open) => {
      it('never doubles when two replicas race, keyed or not', async function () {
        this.timeout(20_000);
        const chat = new Chat();
        const seen: string[] = [];
        chat.after = ({ nonce }) => void seen.push(nonce);
        const one = start(await open(), chat, { replica: 'one' });
        const two = start(await open.another(), chat, { replica: 'two' });
        const rooms = Array.from({ length: 5 }, (_, n) => `room ${n}`);
        await Promise.all(
          rooms.flatMap((room) =>
            [one, two].flatMap((posts, replica) => [
              posts.post({ chat: 'test', room }, 'card', { key: 'alert:1' }).catch(() => undefined),
              ...[1, 2, 3].map((n) => posts.post({ chat: 'test', room }, `${replica}.${n}`)),
            ]),
          ),
        );
        chat.before = () => undefined;
        await eventually(async () => delivered(await open()));
        for (const room of rooms) {
          expect(chat.texts(room).sort(), room).to.deep.equal(['0.1', '0.2', '0.3', '1.1', '1.2', '1.3', 'card']);
        }
      });
    },
    { '0001-storage': storage, '0008-post-pacing': pacing },
  );

  it('waits twice as long each time, up to the cap', () => {
    const timing: PostTiming = { pollMs: 1, attemptMs: 1, firstRetryMs: 1_000, lastRetryMs: 60_000 };
    expect([0, 1, 2, 10, 1_000].map((attempts) => retryDelay(attempts, timing, 1))).to.deep.equal([
      1_000, 2_000, 4_000, 60_000, 60_000,
    ]);
    expect(retryDelay(0, timing, 0)).to.equal(750);
  });
});

async function delivered(db: Database): Promise<boolean> {
  const { rows } = await db.pool.query<{ waiting: number }>(
    'select count(*) as waiting from post where delivered_revision < revision',
  );
  return rows[0]?.waiting === 0;
}
