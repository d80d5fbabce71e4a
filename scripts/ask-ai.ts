// Description:
//   Answers questions from the team's own runbooks

import { arg } from '../src/bot/args.ts';
import { type Content, card } from '../src/bot/card.ts';
import { addressOf } from '../src/bot/chat.ts';
import { command, fallback, type Sentence } from '../src/bot/command.ts';
import { fail, failureText } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import { answerCard, progressCard } from '../src/domain/ask/card.ts';
import type { Answer, Progress } from '../src/domain/ask/ports.ts';

/** A model that answers sooner than this needs no sign of life; later, one message is updated at most once a second. */
const EDIT_EVERY_MS = 1_000;

export default function askAi(robot: Robot): void {
  command(robot, {
    id: 'ask.question',
    usage: 'ask <question...>',
    summary: 'Answer from the runbooks, with the place it is from',
    examples: ['ask what do I do when KubePodCrashLooping fires?', 'ask how do I roll back a failed deploy?'],
    args: { question: arg.text() },
    effect: 'read',
    needs: 'public',
    async run({ args, via, ...asked }) {
      return await answer(args.question, asked, via === 'typed' || via === 'button');
    },
  });

  command(robot, {
    id: 'ask.forget',
    usage: 'forget',
    aliases: ['ask forget'],
    summary: 'Forget what you asked me here, or what this thread asked me',
    examples: ['forget'],
    effect: 'read',
    needs: 'public',
    async run({ person, room, services }) {
      const count = await services.knowledge.forget({ ...addressOf(room), personId: person.id });
      if (count === 0) return 'There was nothing to forget here.';
      return `Forgotten: ${count} ${count === 1 ? 'question' : 'questions'} and what I answered. The messages in the chat stay.`;
    },
  });

  fallback(
    robot,
    async (sentence) => {
      const content = smallTalk(sentence.text) ?? (await answer(sentence.text, sentence, true, sentence.nearCommand));
      if (content !== undefined) await sentence.reply(content);
    },
    (text) => ({ label: 'Ask the runbooks', command: `ask ${text}` }),
  );
}

type Asked = Pick<Sentence, 'person' | 'room' | 'now' | 'services' | 'post'>;

/** Answers; undefined if the answer has been posted already. */
async function answer(question: string, asked: Asked, live: boolean, near?: string): Promise<Content | undefined> {
  const { person, services } = asked;
  const room = addressOf(asked.room);
  const message = live ? liveMessage(asked) : undefined;
  try {
    const found = await services.knowledge.ask(
      { question, person, room },
      message === undefined ? {} : { onProgress: message.progress },
    );
    const content = answerCard(found, troubleText(found), near);
    return message === undefined ? content : await message.finish(content);
  } finally {
    message?.stop();
  }
}

interface LiveMessage {
  progress(progress: Progress): void;
  /** Gives the content back if no message was posted yet. */
  finish(content: Content): Promise<Content | undefined>;
  stop(): void;
}

/** One message that follows the answer as it is written. */
function liveMessage({ person, room, now, post }: Asked): LiveMessage {
  const key = `ask:${person.id}:${now.getTime()}`;
  const address = addressOf(room);
  let next: Progress | undefined;
  let posting: Promise<void> | undefined;
  let busy = false;
  const timer = setInterval(() => {
    if (next === undefined || busy) return;
    const content = progressCard(next);
    next = undefined;
    busy = true;
    // If this fails, so does `finish`, and that is told.
    posting = post(address, content, { key })
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  }, EDIT_EVERY_MS);
  return {
    progress(progress) {
      next = progress;
    },
    stop: () => clearInterval(timer),
    async finish(content) {
      clearInterval(timer);
      if (posting === undefined) return content;
      await posting;
      await post(address, content, { key });
      return undefined;
    },
  };
}

/** What is said about a model that gave no answer; undefined if it did. */
function troubleText({ trouble, retryAfterSeconds, model = '' }: Answer): string | undefined {
  switch (trouble) {
    case undefined:
      return undefined;
    case 'unauthorised':
      return failureText(fail('ask.key', {}));
    case 'unknown-model':
      return failureText(fail('ask.model', { model }));
    case 'busy':
      return failureText(
        fail('ask.busy', { seconds: retryAfterSeconds === undefined ? undefined : Math.ceil(retryAfterSeconds) }),
      );
    case 'too-long':
      return failureText(fail('ask.long', {}));
    case 'refused':
      return failureText(fail('ask.refused', {}));
    case 'slow':
      return failureText(fail('ask.slow', {}));
    case 'unreachable':
      return failureText(fail('ask.unreachable', {}));
    default:
      return failureText(fail('ask.broken', {}));
  }
}

const ASKS_ABOUT_ME =
  /^(?:what can (?:you|i) do(?: here)?|what do you do|who are you|what are you|how are you|whats up|what is up|how does this work|commands)$/;

/** Greetings, thanks and questions about the robot need no runbook. */
function smallTalk(text: string): Content | undefined {
  const said = text
    .toLowerCase()
    .replace(/[^\p{L} ]/gu, '')
    .trim();
  if (/^(?:thanks|thank you|thx|cheers|great|nice|ok|okay|cool|perfect)(?: \w+){0,2}$/.test(said))
    return 'You are welcome.';
  const greets = /^(?:hi|hello|hey|good (?:morning|evening|afternoon)|moin|yo)(?: \w+){0,1}$/.test(said);
  if (said !== '' && !greets && !ASKS_ABOUT_ME.test(said)) return undefined;
  return card({
    isGuide: true,
    title: 'Hello!',
    text: 'I deploy, bring alerts, answer from the runbooks and find what was said. `help` shows what you can run; a question in plain words is answered.',
    actions: [
      { label: 'What can you do?', command: 'help' },
      { label: 'Ask about an alert', command: 'ask what do I do when KubePodCrashLooping fires?' },
    ],
  });
}
