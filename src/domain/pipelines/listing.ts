/** The last runs as a card. Everything that came from outside is shown as plain text. */

import { type Action, type Card, card, plain, type Tone } from '../../bot/card.ts';
import { safeLink } from '../alerts/link.ts';
import { age, duration } from '../deploy/duration.ts';
import { failingJob } from './failing.ts';
import type { RecordedRun, RunState, ShownRun } from './ports.ts';
import { failedOf } from './rerun.ts';

/** Buttons that run something again, at most. */
const RERUNS = 3;

const MARK: Readonly<Record<RunState, string>> = {
  queued: '…',
  waiting: '…',
  running: '…',
  succeeded: '✓',
  failed: '✗',
  cancelled: '–',
  skipped: '–',
};

/** The answer to `pipelines`. @param of the service or repository that was asked for */
export function pipelinesCard(runs: readonly ShownRun[], of: string | undefined, now: Date): Card {
  const [latest] = runs;
  if (!latest) {
    return card({
      title: of === undefined ? 'I have not heard of any pipeline' : `I have not heard of any pipeline of ${of}`,
      text: 'GitHub, GitLab and Jenkins tell me of theirs once they have my address: see `docs/guide/pipelines.md`.',
    });
  }
  return card({
    title: of === undefined ? 'The last pipelines' : `The last pipelines of ${of}`,
    tone: toneOf(latest.state),
    text: runs.map((run) => `- ${runLine(run, of === undefined, now)}`).join('\n'),
    actions: [...reruns(runs), ...(of === undefined ? ofFailing(runs) : [])],
  });
}

function toneOf(state: RunState): Tone {
  if (state === 'succeeded') return 'good';
  if (state === 'failed') return 'bad';
  return state === 'cancelled' || state === 'skipped' ? 'neutral' : 'progress';
}

/** A button for each of the first runs that failed and can be run again. */
function reruns(runs: readonly ShownRun[]): Action[] {
  return failedOf(runs)
    .filter(({ canRerun, rerun }) => canRerun && rerun === undefined)
    .slice(0, RERUNS)
    .map((run) => ({ label: `Rerun ${labelOf(run)}`, command: `pipelines rerun ${run.id}` }));
}

/** What a run is called: `build #3 of acme/shop`. Plain text, not escaped. */
function labelOf({ name, number, services, repository }: ShownRun): string {
  return `${name}${number === undefined ? '' : ` #${number}`} of ${services[0] ?? repository}`.slice(0, 60);
}

/** The same as Markdown, for a sentence. */
export function runName({ name, number, repository }: RecordedRun): string {
  return `${plain(name)}${number === undefined ? '' : ` \\#${plain(number)}`} of ${plain(repository)}`;
}

/** One button for a service whose pipeline failed: all its runs. */
function ofFailing(runs: readonly ShownRun[]): Action[] {
  const [name] = runs.flatMap(({ state, services }) => (state === 'failed' ? services.slice(0, 1) : []));
  return name === undefined ? [] : [{ label: `Runs of ${name}`, command: `pipelines ${name}` }];
}

function runLine(run: ShownRun, named: boolean, now: Date): string {
  const what = [MARK[run.state]];
  if (named) what.push(`**${plain(run.services.join(', ') || run.repository)}**`);
  what.push(plain(run.name));
  if (run.number !== undefined) what.push(`\\#${plain(run.number)}`);
  if (run.kind === 'deployment') what.push(`to **${plain(run.environment ?? 'somewhere')}**`);
  const revision = revisionOf(run);
  if (revision !== '') what.push(revision);
  if (run.by !== undefined) what.push(`by ${plain(run.by)}`);
  const link = safeLink('open', run.url);
  const parts = [`${what.join(' ')}: ${stateText(run, now)}`, ...(link === undefined ? [] : [link])];
  const blame = blameOf(run, now);
  return `${parts.join(' · ')}${blame === '' ? '' : `\n  ${blame}`}`;
}

/** `on main (3484a3f, fix the build)`. */
function revisionOf({ branch, version, commit, title }: ShownRun): string {
  const from = version ?? branch;
  const detail = [commit?.slice(0, 7), title].flatMap((part) => (part === undefined ? [] : [plain(part)]));
  const where = from === undefined ? '' : `${version === undefined ? 'on ' : ''}${plain(from)}`;
  return [where, detail.length === 0 ? '' : `\\(${detail.join(', ')}\\)`].filter(Boolean).join(' ');
}

function stateText({ state, startedAt, finishedAt, heardAt }: ShownRun, now: Date): string {
  const took =
    startedAt === undefined || finishedAt === undefined
      ? ''
      : ` after ${duration(finishedAt.getTime() - startedAt.getTime())}`;
  return `${state}${took}, ${age(finishedAt ?? startedAt ?? heardAt, now)}`;
}

/** Which job failed, at which step, and where to look. */
function blameOf(run: ShownRun, now: Date): string {
  if (run.state === 'succeeded' || run.state === 'skipped') return '';
  const again = run.rerun && `${plain(run.rerun.by)} had it run again ${age(run.rerun.at, now)}`;
  const job = failingJob(run.jobs);
  const parts: string[] = [];
  if (job) {
    const stage = job.stage === undefined ? '' : ` (${plain(job.stage)})`;
    const step = job.step === undefined ? '' : `, ${plain(job.step)}`;
    const link = safeLink('log', job.url);
    parts.push(`failed: **${plain(job.name)}**${stage}${step}${link === undefined ? '' : ` · ${link}`}`);
  }
  if (run.problem !== undefined) parts.push(plain(run.problem));
  if (again !== undefined) parts.push(again);
  return parts.join(' · ');
}
