// Description:
//   Shows containers, logs and use of services on Docker hosts

import { arg } from '../src/bot/args.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import { TargetUnclear } from '../src/domain/deploy/target.ts';
import { containersCard, dockerLogCard, usageCard } from '../src/domain/docker/listing.ts';
import type { DockerHosts, DockerPlaceName } from '../src/domain/docker/ports.ts';

const LOG_LINES = 50;

export default function docker(robot: Robot): void {
  command(robot, {
    id: 'docker.containers',
    usage: 'docker containers <service> <environment>',
    aliases: ['docker containers <service> in <environment>'],
    summary: 'Containers of a service on its Docker host: the live one, those kept, one being rolled out',
    examples: ['docker containers web production'],
    args: { service: arg.service(), environment: arg.environment() },
    effect: 'read',
    needs: ({ environment }) => `docker:${environment}`,
    async run({ args, services }) {
      const found = await asked(services.docker, args, () => services.docker.containers(args));
      return containersCard(args, found);
    },
  });

  command(robot, {
    id: 'docker.logs',
    usage: 'docker logs <service> <environment> [lines]',
    aliases: ['docker logs <service> in <environment> [lines]'],
    summary: `The last lines that the container of a service said; ${LOG_LINES} unless you say how many`,
    examples: ['docker logs web production', 'docker logs web production 200'],
    args: { service: arg.service(), environment: arg.environment(), lines: arg.integer({ min: 1, max: 500 }) },
    effect: 'read',
    needs: ({ environment }) => `docker:${environment}`,
    async run({ args, services }) {
      const found = await asked(services.docker, args, () => services.docker.logs(args, args.lines ?? LOG_LINES));
      if (found === 'nothing') throw fail('docker.nothing', args);
      return dockerLogCard(found.name, found.lines);
    },
  });

  command(robot, {
    id: 'docker.stats',
    usage: 'docker stats <service> <environment>',
    aliases: ['docker stats <service> in <environment>'],
    summary: 'Processor, memory and network of the container of a service just now',
    examples: ['docker stats web production'],
    args: { service: arg.service(), environment: arg.environment() },
    effect: 'read',
    needs: ({ environment }) => `docker:${environment}`,
    async run({ args, services }) {
      const found = await asked(services.docker, args, () => services.docker.stats(args));
      if (found === 'nothing') throw fail('docker.nothing', args);
      return usageCard(found);
    },
  });
}

/** An answer of the engine, or the error that a person reads. */
async function asked<T>(hosts: DockerHosts, place: DockerPlaceName, ask: () => Promise<T | undefined>): Promise<T> {
  try {
    const found = await ask();
    if (found === undefined) throw fail('docker.elsewhere', { ...place, known: hosts.services() });
    return found;
  } catch (error) {
    if (!(error instanceof TargetUnclear)) throw error;
    throw fail('docker.unclear', { ...place, text: error.message });
  }
}
