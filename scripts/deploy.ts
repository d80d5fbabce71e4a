// Description:
//   Deploys services and tells what runs where

import { type ArgContext, arg, type Offer } from '../src/bot/args.ts';
import { addressOf } from '../src/bot/chat.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import { age } from '../src/domain/deploy/duration.ts';
import { deploymentsCard, logCard } from '../src/domain/deploy/listing.ts';
import { scopeWords, untilWords } from '../src/domain/deploy/locks.ts';
import type { Refusal } from '../src/domain/deploy/ports.ts';
import { queueCard } from '../src/domain/deploy/waiting.ts';

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
      const [places, history] = await Promise.all([
        services.deploys.list(filter),
        services.deploys.history({ ...filter, limit: 10 }),
      ]);
      return deploymentsCard(places, history, now);
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

  command(robot, {
    id: 'deploy.queue',
    usage: 'queue [service] [environment]',
    aliases: ['queue [service] in <environment>'],
    summary: 'What runs and who waits in line',
    examples: ['queue', 'queue hello', 'queue hello production'],
    args: { service: arg.service(), environment: arg.environment() },
    effect: 'read',
    needs: 'public',
    async run({ args, services, now }) {
      const lines = await services.deploys.lines({
        ...(args.service === undefined ? {} : { service: args.service }),
        ...(args.environment === undefined ? {} : { environment: args.environment }),
      });
      return queueCard(lines, now);
    },
  });

  command(robot, {
    id: 'deploy.cancel',
    usage: 'cancel <number>',
    aliases: ['cancel deployment <number>'],
    summary: 'Take a deployment out of the line, or stop it; your own, or one of a place that you may deploy to',
    examples: ['cancel 43'],
    args: { number: arg.integer({ min: 1, offers: cancellable }) },
    effect: 'change',
    needs: 'public',
    async run({ args: { number }, person, services }) {
      const found = await services.deploys.get(number);
      if (found === undefined) throw fail('deploy.number', { number });
      const { identity } = await services.access.rightsOf(person);
      const isOwn = found.by.id === person.id || identity.linked.includes(found.by.id);
      if (!isOwn) await services.access.require(person, `deploy:${found.environment}`);
      const result = await services.deploys.cancel(number, { id: person.id, name: person.name });
      if (result.kind === 'unknown') throw fail('deploy.number', { number });
      if (result.kind === 'ended') throw fail('deploy.ended', { number, state: result.deployment.state });
      // Its card says that it left the line. One that runs takes a while to stop.
      return result.kind === 'stopping'
        ? `Deployment ${number} is being stopped.`
        : `Deployment ${number} is cancelled.`;
    },
  });
}

/** Those that can still be cancelled. */
async function cancellable({ services }: ArgContext): Promise<readonly Offer[]> {
  const lines = (await services?.deploys?.lines({})) ?? [];
  return lines
    .flatMap(({ holder, waiting }) => (holder === undefined ? waiting : [holder, ...waiting]))
    .map(({ id, service, version, environment, state }) => ({
      value: String(id),
      label: `#${id} ${service} ${version} to ${environment}, ${state}`,
    }));
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
      const { lock } = refused;
      return fail('deploy.locked', {
        scope: scopeWords(lock),
        by: lock.owner.name,
        until: untilWords(lock),
        reason: lock.reason,
        place: `${refused.service} in ${refused.environment}`,
      });
    }
    case 'unclear':
      return fail('deploy.unclear', refused);
  }
}
