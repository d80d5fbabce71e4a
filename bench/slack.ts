/**
 * From something said in Slack to the answer in the channel: `node bench/slack.ts`. The real program, with its databases, in a
 * server that plays Slack on this machine; beside it a plain Bolt app that keeps nothing. The server's own time is measured
 * with a program that does nothing but answer, and taken off.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { inTime } from '../src/bot/deadline.ts';
import { postgresPrograms, startPostgres } from '../test/support/postgres.ts';
import { type SlackServer, startSlack } from '../test/support/slack/server.ts';
import { type Goal, judge, markdown, median, quantile } from './figures.ts';
import { startProgram, withFolder } from './program.ts';

/** A channel takes one message a second: many channels, each below that. */
const CHANNELS = 100;
const TURNS = 300;
/** From one to the next. */
const APART_MS = 12;
/** Each channel and each person once: they are looked up the first time. */
const WARM_UP = CHANNELS;
const COMMAND = 'alerts';
const PATIENCE_MS = 10_000;
const GOAL_MS = 30;

/** What a program is told of the server. */
function environmentOf(slack: SlackServer): Record<string, string> {
  return { SLACK_API_URL: slack.apiUrl, SLACK_BOT_TOKEN: slack.botToken, SLACK_APP_TOKEN: slack.appToken };
}

/** Milliseconds of each answer: from the moment when something is said to the moment when the post reaches the server. */
async function measure(run: (slack: SlackServer) => Promise<() => Promise<void>>): Promise<number[]> {
  const slack = await startSlack({ limits: { postsPerSecondPerChannel: 1 } });
  const waiting = new Map<string, (at: number) => void>();
  const push = slack.calls.push.bind(slack.calls);
  slack.calls.push = (...calls) => {
    const at = performance.now();
    for (const { method, args } of calls) {
      if (method === 'chat.postMessage') waiting.get(String(args['channel']))?.(at);
    }
    return push(...calls);
  };
  const places = Array.from({ length: CHANNELS }, (_, index) => {
    const person = slack.addPerson({ name: `person${index}` });
    return { person, channel: slack.addChannel({ name: `channel${index}`, members: [person] }) };
  });
  const stop = await run(slack);
  try {
    await slack.connected(1, 60_000);
    const taken: number[] = [];
    const began = performance.now();
    for (let turn = -WARM_UP; turn < TURNS; turn++) {
      const place = places[(turn + WARM_UP) % CHANNELS];
      if (!place) continue;
      const due = began + (turn + WARM_UP) * APART_MS;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      const answered = new Promise<number>((resolve) => waiting.set(place.channel.id, resolve));
      const said = performance.now();
      slack.say(place.person, place.channel, COMMAND, { mention: true });
      const at = await inTime(PATIENCE_MS, answered, () => new Error(`no answer to "${COMMAND}"`));
      waiting.delete(place.channel.id);
      if (turn >= 0) taken.push(at - said);
      // Everything that belongs to it is over, on both sides, before the next one begins.
      await slack.settled();
    }
    slack.assertNoProblems();
    return taken;
  } finally {
    await stop();
    await slack.close();
  }
}

async function program(databaseUrl?: string): Promise<number[]> {
  return await withFolder(
    async (data) =>
      await measure(async (slack) => {
        const environment = { HUBOT_ADAPTER: 'slack,web', ...environmentOf(slack) };
        const running = await startProgram({ data, databaseUrl, environment });
        return () => running.stop();
      }),
  );
}

async function other(file: string): Promise<number[]> {
  return await measure(async (slack) => {
    const child = spawn(process.execPath, [new URL(file, import.meta.url).pathname], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env['PATH'], ...environmentOf(slack) },
    });
    return () => ended(child);
  });
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await gone;
}

const floor = await other('slack-floor.ts');
const own = { median: median(floor), late: quantile(floor, 0.99) };
const rows: string[][] = [];
const goals: Goal[] = [];
function row(name: string, taken: readonly number[]): number {
  const beyond = median(taken) - own.median;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  rows.push([name, ms(beyond), ms(quantile(taken, 0.99) - own.median), ms(median(taken))]);
  return beyond;
}

row('a plain Bolt app, nothing kept', await other('slack-bolt.ts'));
const embedded = row('Shipmate, embedded database', await program());
goals.push({
  what: 'An answer in Slack, embedded database',
  measured: embedded,
  unit: 'ms',
  goal: { below: GOAL_MS },
  tolerance: 0.2,
});
if (postgresPrograms()) {
  const server = await startPostgres();
  try {
    const measured = row('Shipmate, PostgreSQL server', await program(await server.database()));
    goals.push({
      what: 'An answer in Slack, PostgreSQL server',
      measured,
      unit: 'ms',
      goal: { below: GOAL_MS },
      tolerance: 0.2,
    });
  } finally {
    await server.remove();
  }
}
console.log(
  markdown({
    title: 'A mention in Slack and its answer',
    head: ['', 'beyond the server’s time, median', '99th percentile', 'in all, median'],
    rows,
    notes: [
      `\`${COMMAND}\`, ${TURNS} times in turn in ${CHANNELS} channels, by Socket Mode, against a server on this machine that plays Slack,`,
      `until the post has reached it. The server’s own time, ${own.median.toFixed(1)} ms (99th percentile ${own.late.toFixed(1)} ms), is what a program`,
      'needs that does nothing but answer. Shipmate has by then stored what was said before it acknowledged it, checked rights,',
      'written to the history, stored the answer in the outbox and taken the channel’s turn; the Bolt app has done none of that.',
    ],
  }),
);
judge(goals);
