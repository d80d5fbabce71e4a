// Description:
//   Answers questions from the team's own runbooks

import { arg } from '../src/bot/args.ts';
import { type Content, card } from '../src/bot/card.ts';
import { addressOf } from '../src/bot/chat.ts';
import { command, fallback, type Sentence } from '../src/bot/command.ts';
import { fail, failureText } from '../src/bot/errors.ts';
import type { Draft } from '../src/bot/live.ts';
import type { Robot } from '../src/bot/robot.ts';
import { answerCard, feedbackCard, progressCard } from '../src/domain/ask/card.ts';
import type { Answer, Progress } from '../src/domain/ask/ports.ts';

export default function askAi(robot: Robot): void {
  command(robot, {
    id: 'ask.question',
    usage: 'ask <question...>',
    summary: 'Answer from the runbooks, with the place it is from',
    examples: ['ask what do I do when KubePodCrashLooping fires?', 'ask how do I roll back a failed deploy?'],
    args: { question: arg.text() },
    effect: 'read',
    needs: 'public',
    run: ({ args, ...asked }) => answer(args.question, asked),
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

  command(robot, {
    id: 'ask.rate',
    usage: 'ask rate <answer> <verdict> [note...]',
    summary: 'Say whether an answer helped; the buttons under it type this',
    examples: ['ask rate 12 helpful', 'ask rate 12 unhelpful the runbook is out of date'],
    args: { answer: arg.integer({ min: 1 }), verdict: arg.oneOf(['helpful', 'unhelpful']), note: arg.text() },
    effect: 'change',
    needs: 'public',
    answers: 'asker',
    async run({ args, person, room, now, services }) {
      const { answer: number, verdict, note } = args;
      const outcome = await services.knowledge.rate(
        {
          answer: number,
          person: { id: person.id, name: person.name },
          helpful: verdict === 'helpful',
          ...(note === undefined ? {} : { note }),
          at: now,
        },
        addressOf(room),
      );
      if (outcome === 'unknown') throw fail('ask.unknown', { answer: number });
      const more = note === undefined ? ` \`ask rate ${number} ${verdict} …\` adds why.` : '';
      return `${outcome === 'changed' ? 'Changed' : 'Noted'}, thank you: ${verdict}.${more}`;
    },
  });

  command(robot, {
    id: 'ask.feedback',
    usage: 'ask feedback [--last <last>]',
    summary: 'What people said of answers lately, with the questions',
    examples: ['ask feedback', 'ask feedback --last 30'],
    args: { last: arg.integer({ min: 1, max: 40 }) },
    effect: 'read',
    needs: 'ask:feedback',
    answers: 'asker',
    run: async ({ args, services }) => feedbackCard(await services.knowledge.ratings(args.last ?? 10)),
  });

  fallback(
    robot,
    async (sentence) => {
      const content = smallTalk(sentence.text) ?? (await answer(sentence.text, sentence, sentence.nearCommand));
      if (content !== undefined) await sentence.reply(content);
    },
    (text) => ({ label: 'Ask the runbooks', command: `ask ${text}` }),
  );
}

type Asked = Pick<Sentence, 'person' | 'room' | 'services' | 'live'>;

/** Answers; undefined if the answer has been posted already. */
async function answer(question: string, asked: Asked, near?: string): Promise<Content | undefined> {
  const { person, services } = asked;
  const live = asked.live?.();
  try {
    const found = await services.knowledge.ask(
      { question, person, room: addressOf(asked.room) },
      live === undefined ? {} : { onProgress: (progress) => live.show(draftOf(progress)) },
    );
    const content = answerCard(found, troubleText(found), near);
    if (live === undefined) return content;
    await live.finish(content);
    return undefined;
  } finally {
    await live?.stop();
  }
}

function draftOf(progress: Progress): Draft {
  return {
    content: () => progressCard(progress),
    ...(progress.kind === 'writing' ? { text: () => progress.text() } : {}),
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
