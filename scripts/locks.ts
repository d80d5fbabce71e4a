// Description:
//   Locks services and environments against deployments

import { type ArgContext, arg, parseDuration } from '../src/bot/args.ts';
import { type Card, mention, plain } from '../src/bot/card.ts';
import type { Person } from '../src/bot/chat.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import type { Services } from '../src/bot/services.ts';
import { lockedCard, locksCard } from '../src/domain/deploy/lock-cards.ts';
import { keepsOut, lockWords, type Scope, scopeWords, untilWords } from '../src/domain/deploy/locks.ts';

/** Who has it may lock whole services and everything, and open the locks of others. */
const LOCK_PERMISSION = 'deploy:lock';

export default function locks(robot: Robot): void {
  command(robot, {
    id: 'deploy.lock',
    usage: 'lock <service> [in <environment>] <reason...>',
    summary: 'Keep deployments out until you unlock, or for a time: end with “for 2h”',
    examples: ['lock hello in staging trying a fix for 2h', 'lock hello database is being moved'],
    args: { service: arg.service(), environment: arg.environment(), reason: arg.text() },
    effect: 'change',
    needs: ({ environment }) => lockPermission(environment),
    run: async ({ args, person, services }) => await lock(args, args.reason, person, services),
  });

  command(robot, {
    id: 'deploy.lock-everything',
    usage: 'lock everything [in <environment>] <reason...>',
    summary: 'Keep every deployment out, for example while there is an incident',
    examples: ['lock everything incident 12', 'lock everything in production end of the year for 7d'],
    args: { environment: arg.environment(), reason: arg.text() },
    effect: 'change',
    needs: LOCK_PERMISSION,
    run: async ({ args, person, services }) => await lock(args, args.reason, person, services),
  });

  command(robot, {
    id: 'deploy.unlock',
    usage: 'unlock <service> [in <environment>]',
    aliases: ['unlock <service> <environment>'],
    summary: 'Open a lock of yours; what waits in line goes on',
    examples: ['unlock hello in staging', 'unlock hello'],
    // What is locked, which may be in the configuration no longer.
    args: { service: arg.word(locked('service')), environment: arg.word(locked('environment')) },
    effect: 'change',
    needs: 'public',
    run: async ({ args, person, services }) => await unlock(args, person, services),
  });

  command(robot, {
    id: 'deploy.unlock-everything',
    usage: 'unlock everything [in <environment>]',
    summary: 'Open a lock on everything',
    examples: ['unlock everything', 'unlock everything in production'],
    args: { environment: arg.word(locked('environment')) },
    effect: 'change',
    needs: 'public',
    run: async ({ args, person, services }) => await unlock(args, person, services),
  });

  command(robot, {
    id: 'deploy.locks',
    usage: 'locks',
    summary: 'What is locked, by whom, why and until when',
    examples: ['locks'],
    effect: 'read',
    needs: 'public',
    run: async ({ services, now }) => locksCard(await services.locks.all(), now),
  });
}

function lockPermission(environment: string | undefined): string {
  return environment === undefined ? LOCK_PERMISSION : `deploy:${environment}`;
}

/** Names of what is locked. */
function locked(part: keyof Scope): (context: ArgContext) => Promise<readonly string[]> {
  return async ({ services }) => {
    const all = (await services?.locks?.all()) ?? [];
    return [...new Set(all.flatMap((lock) => lock[part] ?? []))];
  };
}

/** What the arguments of a command name. */
interface Named {
  readonly service?: string | undefined;
  readonly environment?: string | undefined;
}

function scopeOf({ service, environment }: Named): Scope {
  return { ...(service === undefined ? {} : { service }), ...(environment === undefined ? {} : { environment }) };
}

async function lock(named: Named, text: string, person: Person, services: Services): Promise<Card> {
  const words = lockWords(text, parseDuration);
  if (words.kind === 'no reason') throw fail('deploy.lock-reason', {});
  if (words.kind === 'too long') throw fail('deploy.lock-time', {});
  const { reason, forMs } = words;
  const result = await services.locks.lock({
    ...scopeOf(named),
    reason,
    ...(forMs === undefined ? {} : { forMs }),
    owner: { id: person.id, name: person.name },
  });
  if (result.kind === 'held') {
    const { lock: there } = result;
    throw fail('deploy.lock-held', {
      scope: scopeWords(there),
      by: there.owner.name,
      until: untilWords(there),
      reason: there.reason,
    });
  }
  const lines = await services.deploys.lines({});
  return lockedCard(
    result.lock,
    lines.filter((line) => keepsOut(result.lock, line, result.lock.at)),
  );
}

async function unlock(named: Named, person: Person, services: Services): Promise<string> {
  const all = await services.locks.all();
  const scope = scopeWords(scopeOf(named));
  const there = all.find((one) => scopeWords(one).toLowerCase() === scope.toLowerCase());
  if (there === undefined) throw fail('deploy.lock-none', { scope, others: all.map(scopeWords) });
  const { identity } = await services.access.rightsOf(person);
  const isOwn = there.owner.id === person.id || identity.linked.includes(there.owner.id);
  if (!isOwn && !(await services.access.can(person, LOCK_PERMISSION))) {
    throw fail('deploy.lock-owner', { scope, by: there.owner.name });
  }
  if (!(await services.locks.unlock(there))) throw fail('deploy.lock-none', { scope, others: [] });
  const opened = `${plain(scopeWords(there))} is unlocked.`;
  return isOwn ? opened : `${opened} ${mention(there.owner)} had locked it: ${plain(there.reason)}`;
}
