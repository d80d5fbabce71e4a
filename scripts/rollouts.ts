// Description:
//   Goes back to the version before, takes a version on to the next environment, and compares two environments

import { arg } from '../src/bot/args.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import type { Services } from '../src/bot/services.ts';
import { stepsOf, versionBefore, versionsOnceLive } from '../src/domain/deploy/before.ts';
import { withDeployer } from '../src/domain/deploy/elsewhere.ts';
import type { Placement } from '../src/domain/deploy/ports.ts';
import { differenceCard } from '../src/domain/deploy/preview.ts';
import { approvalNeed, begin, type Wanted } from './deploy.ts';

/** A rollback looks no further back than this. */
const REMEMBERED = 500;

/** So many deployments past the robot are looked through for who brought what runs. */
const ELSEWHERE = 50;

interface RollbackArgs {
  readonly service: string;
  readonly environment: string;
  readonly version: string | undefined;
}

interface PromoteArgs {
  readonly service: string;
  readonly from: string;
  readonly to: string;
}

export default function rollouts(robot: Robot): void {
  command(robot, {
    id: 'deploy.rollback',
    usage: 'rollback <service> in <environment> [to <version>] [--dry-run] [--override <override>]',
    aliases: ['roll back <service> in <environment> [to <version>] [--dry-run] [--override <override>]'],
    summary: 'Go back to the version that was live before, or to an earlier one',
    examples: ['rollback hello in production', 'rollback hello in production to v1'],
    args: {
      service: arg.service(),
      environment: arg.environment(),
      version: arg.word(),
      dryRun: arg.flag(),
      override: arg.text(),
    },
    effect: 'change',
    needs: ({ environment }) => `deploy:${environment}`,
    approval: async (args, asked) => approvalNeed(() => rollback(asked.services, args), args, asked),
    run: async (invocation) => begin(await rollback(invocation.services, invocation.args), invocation.args, invocation),
  });

  command(robot, {
    id: 'deploy.promote',
    usage: 'promote <service> from <from> to <to> [--dry-run] [--override <override>]',
    summary: 'Deploy what runs in one environment to another',
    examples: ['promote hello from staging to production'],
    args: {
      service: arg.service(),
      from: arg.environment(),
      to: arg.environment(),
      dryRun: arg.flag(),
      override: arg.text(),
    },
    effect: 'change',
    needs: ({ to }) => `deploy:${to}`,
    approval: async (args, asked) =>
      approvalNeed(() => promotion(asked.services, args), { ...args, environment: args.to }, asked),
    run: async (invocation) =>
      begin(await promotion(invocation.services, invocation.args), invocation.args, invocation),
  });

  command(robot, {
    id: 'deploy.diff',
    usage: 'diff <service> <one> <other>',
    aliases: ['diff <service> in <one> and <other>'],
    summary: 'What runs in two environments, since when, by whom, and the commits between them',
    examples: ['diff hello staging production'],
    args: { service: arg.service(), one: arg.environment(), other: arg.environment() },
    effect: 'read',
    needs: 'public',
    async run({ args: { service, one, other }, services, now }) {
      const [places, elsewhere] = await Promise.all([
        services.deploys.list({ service }),
        services.pipelines.deployments({ service, limit: ELSEWHERE }),
      ]);
      const at = (environment: string) => withDeployer(place(places, service, environment), elsewhere);
      const [here, there] = [at(one), at(other)];
      return differenceCard(service, here, there, await services.deploys.between(there, here), now);
    },
  });
}

/** Throws `deploy.environment` if the service does not run there. */
function place(places: readonly Placement[], service: string, environment: string): Placement {
  const found = places.find((each) => each.environment === environment);
  if (found) return found;
  throw fail('deploy.environment', { service, environment, known: places.map((each) => each.environment) });
}

/** Throws if the record knows no version to go back to, or something is being deployed and nobody said which. */
async function rollback({ deploys }: Services, { service, environment, version }: RollbackArgs): Promise<Wanted> {
  const [places, history] = await Promise.all([
    deploys.list({ service }),
    deploys.history({ service, environment, limit: REMEMBERED }),
  ]);
  const { live, open } = place(places, service, environment);
  // Its turn comes after what is under way: “the version before” would not be the one that whoever asks has in mind.
  if (version === undefined && open !== undefined) throw fail('deploy.rollback-open', { ...open, by: open.by.name });
  const steps = stepsOf(history);
  const current = live.kind === 'live' ? live.version : live.kind === 'unclear' ? live.recorded : undefined;
  const known = versionsOnceLive(steps).filter((each) => each !== current);
  if (version !== undefined && version !== current && !known.includes(version)) {
    throw fail('deploy.rollback-unknown', { service, environment, version, known });
  }
  const back = version ?? versionBefore(current, steps);
  if (back === undefined) throw fail('deploy.rollback-none', { service, environment, current });
  return { service, environment, version: back, isRollback: true };
}

/** Throws if it is not known what runs there. */
async function promotion({ deploys }: Services, { service, from, to }: PromoteArgs): Promise<Wanted> {
  const places = await deploys.list({ service });
  place(places, service, to);
  const { live } = place(places, service, from);
  if (live.kind === 'nothing') throw fail('deploy.nothing', { service, environment: from });
  if (live.kind === 'unclear') throw fail('deploy.unclear', { service, text: live.text });
  return { service, environment: to, version: live.version };
}
