/** The card that stands in the room while a deployment runs. */

import { type Card, card, codeBlock, plain } from '../../bot/card.ts';
import { duration } from './duration.ts';
import { footer } from './footer.ts';
import type { Deployment, ProgressStep } from './ports.ts';

/** How far it is. */
export interface Progress {
  readonly step?: string;
  readonly percent?: number;
  /** The last lines of output, redacted. */
  readonly lastLines: string;
}

/** A step that says nothing new keeps what is known; a percentage outside 0 to 100 is brought inside. */
export function advance(progress: Progress, step: ProgressStep): Progress {
  const percent = step.percent === undefined ? progress.percent : Math.min(100, Math.max(0, Math.round(step.percent)));
  const text = step.text === undefined ? progress.step : step.text.slice(0, 200);
  return {
    lastLines: progress.lastLines,
    ...(text === undefined ? {} : { step: text }),
    ...(percent === undefined ? {} : { percent }),
  };
}

/** Ten blocks and the number: `████░░░░░░ 40 %`. */
export function bar(percent: number): string {
  const full = Math.floor(percent / 10);
  return `${'█'.repeat(full)}${'░'.repeat(10 - full)} ${percent} %`;
}

export function progressCard(deployment: Deployment, progress: Progress, now: Date): Card {
  const { service, environment, version, previous } = deployment;
  const lines = [];
  if (deployment.state === 'queued') lines.push('Waiting to start.');
  else lines.push(`${progress.step === undefined ? 'Running' : plain(progress.step)} …`);
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
    footer: footer(deployment),
  });
}
