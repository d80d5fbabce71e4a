// Description:
//   Pipelines of GitHub, GitLab and Jenkins: the last runs, and what failed in them

import { type ArgContext, arg } from '../src/bot/args.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import { pipelinesCard } from '../src/domain/pipelines/listing.ts';

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
        case 'unknown':
          throw fail('pipelines.unknown', { name: service ?? '', known: found.known });
        case 'no-repository':
          throw fail('pipelines.repository', { service: service ?? '' });
      }
    },
  });
}

/** Services with a repository, and repositories of which a pipeline was heard. */
async function known({ services }: ArgContext): Promise<readonly string[]> {
  return (await services?.pipelines?.names()) ?? [];
}
