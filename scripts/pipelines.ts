// Description:
//   Pipelines of GitHub, GitLab and Jenkins: the last runs, what failed in them, and running that again

import { type ArgContext, arg } from '../src/bot/args.ts';
import { card } from '../src/bot/card.ts';
import { command } from '../src/bot/command.ts';
import { type Failure, fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import type { Services } from '../src/bot/services.ts';
import { safeLink } from '../src/domain/alerts/link.ts';
import { age } from '../src/domain/deploy/duration.ts';
import { pipelinesCard, runName } from '../src/domain/pipelines/listing.ts';
import type { RunsFound } from '../src/domain/pipelines/ports.ts';

const SHOWN = 10;

export default function pipelines(robot: Robot): void {
  command(robot, {
    id: 'pipelines.list',
    usage: 'pipelines [service]',
    summary: 'The last runs of pipelines, with the job and the step that failed',
    examples: ['pipelines', 'pipelines hello'],
    args: { service: arg.word(known) },
    effect: 'read',
    needs: 'public',
    async run({ args, services, now }) {
      const { service } = args;
      const found = await services.pipelines.runs(service, SHOWN);
      switch (found.kind) {
        case 'found':
          return pipelinesCard(found.runs, service, now);
        default:
          throw notFound(found, service ?? '');
      }
    },
  });

  command(robot, {
    id: 'pipelines.rerun',
    usage: 'pipelines rerun [run] [--all]',
    summary: 'Run again what failed in a pipeline: the last failed one of a service, or the one of that number',
    examples: ['pipelines rerun hello', 'pipelines rerun 12', 'pipelines rerun 12 --all'],
    args: { run: arg.word(known), all: arg.flag() },
    effect: 'change',
    needs: 'pipelines:rerun',
    async run({ args, person, services, now }) {
      const { run: of, all } = args;
      const done = await services.pipelines.rerun(of, { all, by: person.name, now });
      if (done.kind !== 'asked') throw refusal(done, of ?? '', now);
      const { run, what } = done;
      const link = safeLink('open', run.url);
      const [service] = run.services;
      return card({
        title: `${run.name} runs again`,
        tone: 'progress',
        text: `${runName(run)}: ${what}.${link === undefined ? '' : ` ${link}`}`,
        actions: [{ label: 'Pipelines', command: service === undefined ? 'pipelines' : `pipelines ${service}` }],
      });
    },
  });
}

type Refused = Exclude<Awaited<ReturnType<Services['pipelines']['rerun']>>, { kind: 'asked' }>;

function refusal(done: Refused, of: string, now: Date): Failure {
  switch (done.kind) {
    case 'nothing':
      return fail('pipelines.nothing', { of });
    case 'which':
      return fail('pipelines.which', {
        choices: done.runs.slice(0, 5).map((run) => `\`pipelines rerun ${run.id}\` for ${runName(run)}`),
      });
    case 'no-access':
      return fail('pipelines.access', { run: runName(done.run), service: done.run.services[0] });
    case 'own':
      return fail('pipelines.own', { run: runName(done.run) });
    case 'deployment':
      return fail('pipelines.deployment', { run: runName(done.run) });
    case 'running':
      return fail('pipelines.running', { run: runName(done.run) });
    case 'passed':
      return fail('pipelines.passed', { run: runName(done.run), id: done.run.id });
    case 'again': {
      const { by, at } = done.by;
      return fail('pipelines.again', { run: runName(done.run), by, age: age(at, now) });
    }
    case 'refused':
      return fail('pipelines.refused', { run: runName(done.run), problem: done.text });
    default:
      return notFound(done, of);
  }
}

function notFound(found: Exclude<RunsFound, { kind: 'found' }>, of: string): Failure {
  return found.kind === 'unknown'
    ? fail('pipelines.unknown', { name: of, known: found.known })
    : fail('pipelines.repository', { service: of });
}

/** Services with a repository, and repositories of which a pipeline was heard. */
async function known({ services }: ArgContext): Promise<readonly string[]> {
  return (await services?.pipelines?.names()) ?? [];
}
