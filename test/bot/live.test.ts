import { mock } from 'node:test';
import { expect } from 'chai';
import type { Content } from '../../src/bot/card.ts';
import { DeliveryDelayed } from '../../src/bot/chat.ts';
import { createLive, type LiveAnswer, type LivePorts } from '../../src/bot/live.ts';
import { quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

interface Told {
  readonly live: LiveAnswer;
  readonly done: string[];
}

function make(ports: Partial<LivePorts> = {}, stream = false): Told {
  const done: string[] = [];
  const text = (content: Content) => (typeof content === 'string' ? content : content.title);
  const live = createLive({
    earlier: async () => undefined,
    openStream: async () => {
      if (!stream) return undefined;
      done.push('open');
      return {
        messageId: 'm1',
        show: async (markdown) => void done.push(`show ${markdown}`),
        end: async () => void done.push('end'),
      };
    },
    adopt: async (id) => void done.push(`adopt ${id}`),
    post: async (content) => void done.push(`post ${text(content)}`),
    reply: async (content) => void done.push(`reply ${text(content)}`),
    keep: async (content, id) => void done.push(`keep ${text(content)} ${id}`),
    log: quiet,
    ...ports,
  });
  return { live, done };
}

const draft = (text: string) => ({ content: () => `card ${text}`, text: () => text });

describe('bot/live', () => {
  it('answers at once what is known at once', async () => {
    const { live, done } = make({}, true);
    await live.finish('all');
    await live.stop();
    expect(done).to.deep.equal(['reply all']);
  });

  it('shows nothing more, and keeps no clock running, once it has ended', async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      for (const end of [(live: LiveAnswer) => live.finish('all'), (live: LiveAnswer) => live.stop()]) {
        const { live, done } = make();
        await end(live);
        const said = [...done];
        // A model that was cut off may still tell of what came.
        live.show(draft('late'));
        mock.timers.tick(10_000);
        await live.stop();
        expect(done).to.deep.equal(said);
      }
    } finally {
      mock.timers.reset();
    }
  });

  it('edits one message where the chat has no streams', async () => {
    const { live, done } = make();
    live.show(draft('a'));
    live.show(draft('ab'));
    await eventually(() => expect(done).to.deep.equal(['post card ab']));
    await live.finish('all');
    await live.stop();
    expect(done).to.deep.equal(['post card ab', 'post all']);
  });

  it('writes on where it has, flushes what is left, and updates that very message in the end', async () => {
    const { live, done } = make({}, true);
    live.show({ content: () => 'reading' });
    await eventually(() => expect(done).to.deep.equal(['open', 'adopt m1']));
    live.show(draft('a'));
    await eventually(() => expect(done.at(-1)).to.equal('show a'));
    live.show(draft('abc'));
    await live.finish('all');
    await live.stop();
    expect(done.slice(3)).to.deep.equal(['show abc', 'end', 'post all', 'keep all m1']);
  });

  it('takes up what an attempt before a crash has left', async () => {
    const { live, done } = make({ earlier: async () => 'm0' }, true);
    live.show(draft('a'));
    await eventually(() => expect(done).to.deep.equal(['post card a']));
    await live.finish('all');
    expect(done).to.deep.equal(['post card a', 'post all']);
  });

  it('waits for its turn, and edits if there is no stream after all', async () => {
    let tries = 0;
    const { live, done } = make({
      openStream: async () => {
        if (++tries === 1) throw new DeliveryDelayed('not yet');
        throw new Error('broken');
      },
    });
    live.show(draft('a'));
    await eventually(() => expect(done).to.deep.equal(['post card a']));
    expect(tries).to.equal(2);
    await live.stop();
  });

  it('remembers the message later if it cannot at once', async () => {
    let away = true;
    const { live, done } = make(
      {
        adopt: async (id) => {
          if (away) throw new Error('the database is away');
          done.push(`adopt ${id}`);
        },
      },
      true,
    );
    live.show(draft('a'));
    await eventually(() => expect(done).to.include('show a'));
    away = false;
    await live.finish('all');
    expect(done).to.deep.equal(['open', 'show a', 'end', 'adopt m1', 'post all', 'keep all m1']);
  });

  it('leaves nothing open when the answer fails', async () => {
    const { live, done } = make({}, true);
    live.show(draft('a'));
    await eventually(() => expect(done).to.include('show a'));
    await live.stop();
    live.show(draft('b'));
    expect(done.at(-1)).to.equal('end');
  });
});
