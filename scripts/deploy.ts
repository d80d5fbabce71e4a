// Description:
//   Deploys services and tells what runs where

import { type ArgContext, arg, type Offer } from '../src/bot/args.ts';
import { addressOf } from '../src/bot/chat.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import { age } from '../src/domain/deploy/duration.ts';
import { deploymentsCard, logCard } from '../src/domain/deploy/listing.ts';
import { heldBy } from '../src/domain/deploy/lock.ts';
import type { Refusal } from '../src/domain/deploy/ports.ts';

export default function deploy(robot: Robot): void {
  command(robot, {
    id: 'deploy.start',
    usage: 'deploy <service> [version] to <environment>',
    summary: 'Roll out a version; the newest one if none is named',
    examples: ['deploy hello v2 to production', 'deploy hello to staging'],
    args: { service: arg.service(), version: arg.word(versionsOf), environment: arg.environment() },
    effect: 'change',
    needs: ({ environment }) => `deploy:${environment}`,
    async run({ args, person, room, services, now, handOver }) {
      const audit = handOver();
      const result = await services.deploys.start({
        service: args.service,
        environment: args.environment,
        ...(args.version === undefined ? {} : { version: args.version }),
        by: { id: person.id, name: person.name },
        origin: addressOf(room),
        ...(audit === undefined ? {} : { audit }),
      });
      if (result.kind === 'refused') throw refusal(result, now);
      // The card of the deployment is the answer; it is in the room already.
    },
  });

  command(robot, {
    id: 'deploy.list',
    usage: 'deploys [service] [environment]',
    aliases: ['deploys [service] in <environment>'],
    summary: 'What runs where, since when, by whom, and what was deployed before',
    examples: ['deploys', 'deploys hello', 'deploys hello production'],
    args: { service: arg.service(), environment: arg.environment() },
    effect: 'read',
    needs: 'public',
    async run({ args, services, now }) {
      const filter = {
        ...(args.service === undefined ? {} : { service: args.service }),
        ...(args.environment === undefined ? {} : { environment: args.environment }),
      };
      const [places, history, elsewhere] = await Promise.all([
        services.deploys.list(filter),
        services.deploys.history({ ...filter, limit: 10 }),
        services.pipelines.deployments({ ...filter, limit: 10 }),
      ]);
      return deploymentsCard(places, history, now, elsewhere);
    },
  });

  command(robot, {
    id: 'deploy.log',
    usage: 'deploys log <number>',
    summary: 'All that the program of a deployment said',
    examples: ['deploys log 12'],
    args: { number: arg.integer({ min: 1, offers: lately }) },
    effect: 'read',
    needs: 'public',
    async run({ args, services, now }) {
      const found = await services.deploys.log(args.number);
      if (found === undefined) throw fail('deploy.number', { number: args.number });
      return logCard(found.deployment, found.output, now);
    },
  });
}

/** Of the service that is chosen, or the only one. Nothing is asked of programs while somebody types a line. */
async function versionsOf({ services, given, names }: ArgContext): Promise<readonly string[]> {
  const all = names.services();
  const service = given?.['service'] ?? (all.length === 1 ? all[0] : undefined);
  return given === undefined || service === undefined ? [] : ((await services?.deploys?.versions(service)) ?? []);
}

async function lately({ services }: ArgContext): Promise<readonly Offer[]> {
  const found = (await services?.deploys?.history({ limit: 50 })) ?? [];
  return found.map(({ id, service, version, environment, state }) => ({
    value: String(id),
    label: `#${id} ${service} ${version} to ${environment}, ${state}`,
  }));
}

/** A refusal in the words of the catalogue. */
function refusal(refused: Refusal, now: Date): Error {
  switch (refused.reason) {
    case 'unknown_service':
      return fail('deploy.service', refused);
    case 'unknown_environment':
      return fail('deploy.environment', refused);
    case 'no_version':
      return fail('deploy.version-missing', refused);
    case 'bad_version':
      return fail('deploy.version-form', refused);
    case 'unknown_version':
      return fail('deploy.version', refused);
    case 'already_live':
      return fail('deploy.live', {
        ...refused,
        since: refused.since === undefined ? undefined : age(refused.since, now),
      });
    case 'locked': {
      const { service, environment } = refused.holder;
      return fail('deploy.locked', { ...heldBy(refused.holder, now), service, environment });
    }
    case 'unclear':
      return fail('deploy.unclear', refused);
  }
}
