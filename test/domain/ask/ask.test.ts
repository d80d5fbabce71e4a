import { expect } from 'chai';
import { createKnowledge } from '../../../src/domain/ask/ask.ts';
import type { AskPorts, ModelOutcome, Progress } from '../../../src/domain/ask/ports.ts';

const file = {
  path: 'runbooks/a.md',
  text: '# A\n## Fix it\nRestart the database.\n## Other\nNothing.',
  meta: { alerts: ['DatabaseDown'], services: [], owners: [] },
};

function knowledge(more: Partial<AskPorts> = {}): ReturnType<typeof createKnowledge> {
  return createKnowledge({
    source: {
      read: async () => ({ version: '1', files: [file] }),
      context: async () => undefined,
      link: (path, anchor) => `/${path}#${anchor}`,
    },
    memory: { recent: async () => [], remember: async () => undefined, forget: async () => 0, expire: async () => 0 },
    feedback: { rate: async () => 'unknown', ratings: async () => [] },
    redact: (text) => text,
    now: () => new Date(0),
    log: { info: () => undefined, warn: () => undefined },
    ...more,
  });
}

function model(outcome: ModelOutcome, parts: readonly string[] = []): AskPorts['model'] {
  return {
    name: 'small',
    complete: async (_messages, { onText }) => {
      for (const part of parts) onText?.(part);
      return outcome;
    },
  };
}

const asked = {
  question: 'what about DatabaseDown?',
  person: { id: 'web:1', name: 'alice' },
  room: { chat: 'web', room: 'ops' },
};

describe('ask', () => {
  it('answers although its memory is gone', async () => {
    const gone = async (): Promise<never> => {
      throw new Error('database away');
    };
    const answer = await knowledge({ memory: { recent: gone, remember: gone, forget: gone, expire: gone } }).ask(asked);
    expect(answer).to.include({ origin: 'passages', fit: 'sure' });
    expect(answer.text).to.contain('Restart the database.');
  });

  it('shows progress that is safe from the first words on', async () => {
    const seen: string[] = [];
    const see = (progress: Progress): void => {
      seen.push(progress.kind === 'writing' ? progress.text() : progress.kind);
    };
    const parts = ['Restart', 'Restart [1] ![x](http://evil.exam', 'Restart [1] ![x](http://evil.example/p)'];
    const whole = { kind: 'answer', text: parts[2] ?? '', truncated: false } as const;
    await knowledge({ model: model(whole, parts) }).ask(asked, { onProgress: see });
    expect(seen[0]).to.equal('reading');
    expect(seen).to.have.length(4);
    expect(seen[1]).to.equal('Restart');
    expect(JSON.stringify(seen)).not.to.contain('evil');
  });

  it('takes a question for a part of the one before only if it goes on from it', async () => {
    const turn = {
      personId: 'web:1',
      personName: 'alice',
      at: new Date(0),
      question: asked.question,
      answer: 'Restart.',
    };
    const memory = {
      recent: async () => [turn],
      remember: async () => undefined,
      forget: async () => 0,
      expire: async () => 0,
    };
    const origin = async (question: string) => (await knowledge({ memory }).ask({ ...asked, question })).origin;
    for (const question of ['and then?', 'why?', 'and if that does not help?', 'does it lose data?']) {
      expect(await origin(question), question).to.equal('passages');
    }
    for (const question of ['ship it', 'lunch anyone', 'history is empty']) {
      expect(await origin(question), question).to.equal('nothing');
    }
  });

  it('bounds a long answer and says that it is cut', async () => {
    const text = 'Restart the database. [1]\n\n'.repeat(500);
    const answer = await knowledge({ model: model({ kind: 'answer', text, truncated: false }) }).ask(asked);
    expect(answer.cut).to.equal(true);
    expect(answer.text.length).to.be.at.most(3_100);
  });

  it('falls back to the passages when the model fails', async () => {
    const failed = { kind: 'failed', trouble: 'busy', detail: 'secret detail', retryAfterSeconds: 9 } as const;
    const answer = await knowledge({ model: model(failed) }).ask(asked);
    expect(answer).to.include({ origin: 'passages', trouble: 'busy', retryAfterSeconds: 9 });
    expect(JSON.stringify(answer)).not.to.contain('secret detail');
  });

  it('searches', async () => {
    const [hit] = await knowledge().search('restart database');
    expect(hit?.source.url).to.equal('/runbooks/a.md#fix-it');
  });
});
