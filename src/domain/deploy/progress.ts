/** The card that stands in the room while a deployment runs. */

import { type Card, card, codeBlock, plain } from '../../bot/card.ts';
import { duration } from './duration.ts';
import { footer } from './footer.ts';
import type { Deployment } from './ports.ts';
import type { ProgressStep } from './target.ts';

/** One thing that is done, and since when. */
interface Step {
  readonly text: string;
  readonly since: Date;
}

/** How far it is. */
export interface Progress {
  /** In their order; the last one is under way. */
  readonly steps: readonly Step[];
  /** How many steps before them are no longer kept. */
  readonly left: number;
  readonly percent?: number;
  /** The last lines of output, redacted. */
  readonly lastLines: string;
}

export const NO_PROGRESS: Progress = { steps: [], left: 0, lastLines: '' };

const STEPS = 6;
const STEP_LENGTH = 200;

/**
 * A step that says nothing new keeps what is known; a percentage outside 0 to 100 is brought inside. The same words with other
 * numbers (`2 of 3 ready`) are the same step.
 */
export function advance(progress: Progress, step: ProgressStep, now: Date): Progress {
  const percent = step.percent === undefined ? progress.percent : Math.min(100, Math.max(0, Math.round(step.percent)));
  const steps =
    step.text === undefined ? progress.steps : withStep(progress.steps, step.text.slice(0, STEP_LENGTH), now);
  return {
    lastLines: progress.lastLines,
    steps: steps.slice(-STEPS),
    left: progress.left + Math.max(0, steps.length - STEPS),
    ...(percent === undefined ? {} : { percent }),
  };
}

function withStep(steps: readonly Step[], text: string, now: Date): readonly Step[] {
  const last = steps.at(-1);
  if (last === undefined || kindOf(last.text) !== kindOf(text)) return [...steps, { text, since: now }];
  return [...steps.slice(0, -1), { text, since: last.since }];
}

function kindOf(text: string): string {
  return text.replace(/\d+/g, '0');
}

/** Ten blocks and the number: `████░░░░░░ 40 %`. */
export function bar(percent: number): string {
  const full = Math.floor(percent / 10);
  return `${'█'.repeat(full)}${'░'.repeat(10 - full)} ${percent} %`;
}

export function progressCard(deployment: Deployment, progress: Progress, now: Date): Card {
  const { service, environment, version, previous } = deployment;
  const lines = [deployment.state === 'queued' ? 'Waiting to start.' : stepLines(progress, now)];
  if (progress.percent !== undefined) lines.push(bar(progress.percent));
  const text =
    progress.lastLines === '' ? lines.join('\n\n') : `${lines.join('\n\n')}\n\n${codeBlock(progress.lastLines)}`;
  const since = deployment.startedAt;
  return card({
    title: `Deploying ${service} ${version} to ${environment}`,
    tone: 'progress',
    text,
    fields: [
      { name: 'Live so far', value: previous === undefined ? 'nothing' : plain(previous) },
      ...(since === undefined ? [] : [{ name: 'Running for', value: duration(now.getTime() - since.getTime()) }]),
    ],
    actions: [{ label: 'Cancel', command: `cancel ${deployment.id}` }],
    footer: footer(deployment),
  });
}

/** What is done, with how long it took, and what is under way. */
function stepLines({ steps, left }: Progress, now: Date): string {
  const current = steps.at(-1);
  if (current === undefined) return 'Running …';
  if (steps.length === 1 && left === 0) return `${plain(current.text)} …`;
  const earlier = left === 0 ? [] : [`- ✓ ${left} earlier ${left === 1 ? 'step' : 'steps'}`];
  const done = steps.slice(0, -1).map(({ text, since }, index) => {
    const until = steps[index + 1]?.since ?? now;
    return `- ✓ ${plain(text)} (${duration(until.getTime() - since.getTime())})`;
  });
  return [
    ...earlier,
    ...done,
    `- **${plain(current.text)}** … ${duration(now.getTime() - current.since.getTime())}`,
  ].join('\n');
}
