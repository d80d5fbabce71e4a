// Description:
//   Deploys services and tells what runs where

import { type ArgContext, arg, type Offer } from '../src/bot/args.ts';
import type { Content } from '../src/bot/card.ts';
import { addressOf, type Person } from '../src/bot/chat.ts';
import { type ApprovalNeed, type Asking, command, type Facts, type Invocation } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import type { Services } from '../src/bot/services.ts';
import { age } from '../src/domain/deploy/duration.ts';
import { deploymentsCard, logCard } from '../src/domain/deploy/listing.ts';
import { scopeWords, untilWords } from '../src/domain/deploy/locks.ts';
import type { Change, PreviewRequest } from '../src/domain/deploy/ports.ts';
import { approvalDetails, changeText, previewCard, ruleLines } from '../src/domain/deploy/preview.ts';
import type { Refusal } from '../src/domain/deploy/refusal.ts';
import { queueCard } from '../src/domain/deploy/waiting.ts';

/** So many deployments past the robot are looked through for who brought what runs. */
const ELSEWHERE = 500;

export default function deploy(robot: Robot): void {
  command(robot, {
    id: 'deploy.start',
    usage: 'deploy <service> [version] to <environment> [--dry-run] [--override <override>]',
    summary: 'Roll out a version; the newest one if none is named',
    examples: ['deploy hello v2 to production', 'deploy hello to staging', 'deploy hello v2 to production --dry-run'],
    args: {
      service: arg.service(),
      version: arg.word(versionsOf),
      environment: arg.environment(),
      dryRun: arg.flag(),
      override: arg.text(),
    },
    effect: 'change',
    needs: ({ environment }) => `deploy:${environment}`,
    approval: (args, asked) => approvalNeed(async () => wanted(args), args, asked),
    run: (invocation) => begin(wanted(invocation.args), invocation.args, invocation),
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
        services.pipelines.deployments({ ...filter, limit: ELSEWHERE }),
      ]);
      return deploymentsCard(places, history, now, elsewhere);
    },
  });

  command(robot, {
    id: 'deploy.log',
    usage: 'deploys log <number> [page <page>]',
    summary: 'All that the program of a deployment said; the last page if it is long, unless you say which',
    examples: ['deploys log 12', 'deploys log 12 page 1'],
    args: { number: arg.integer({ min: 1, offers: lately }), page: arg.integer({ min: 1 }) },
    effect: 'read',
    needs: 'public',
    async run({ args, services, now }) {
      const found = await services.deploys.log(args.number);
      if (found === undefined) throw fail('deploy.number', { number: args.number });
      return logCard(found.deployment, found.output, now, args.page);
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

/** What shall be deployed where. */
export type Wanted = PreviewRequest;

interface Options {
  readonly dryRun: boolean;
  readonly override: string | undefined;
}

function wanted(args: { service: string; environment: string; version: string | undefined }): Wanted {
  const { service, environment, version } = args;
  return { service, environment, ...(version === undefined ? {} : { version }) };
}

/** What somebody else must approve; undefined if nobody must. Throws what stands in the way of it now. */
export async function approvalNeed(
  find: () => Promise<Wanted>,
  { environment, dryRun, override }: Options & { readonly environment: string },
  { services, person, now }: Asking,
): Promise<ApprovalNeed | undefined> {
  await mayOverride(services, person, environment, override);
  if (dryRun || services.deploys.approval(environment) === undefined) return undefined;
  const seen = await services.deploys.preview(await find());
  if (seen.kind === 'refused') throw refusal(seen, now);
  const { service, version, commit, previous, checks, holder, approval } = seen;
  const broken = checks.filter(({ ok }) => !ok);
  if (broken.length > 0 && override === undefined) {
    throw refusal({ kind: 'refused', reason: 'rules', service, environment, version, broken }, now);
  }
  if (holder !== undefined) throw refusal({ kind: 'refused', reason: 'busy', holder }, now);
  if (approval === undefined) return undefined;
  return {
    needs: approval.needs,
    count: approval.count,
    withinMs: approval.expiresMs,
    details: approvalDetails(seen, override, now),
    facts: {
      version,
      ...(commit === undefined ? {} : { commit }),
      ...(previous === undefined ? {} : { previous }),
    },
  };
}

/** Throws unless the person may set the rules there aside, and says why. */
async function mayOverride(services: Services, person: Person, environment: string, reason: string | undefined) {
  if (reason === undefined) return;
  await services.access.require(person, `deploy:override:${environment}`);
  if (reason.trim() === '') throw fail('deploy.override', {});
}

type Begins = Pick<
  Invocation<unknown>,
  'person' | 'room' | 'services' | 'now' | 'handOver' | 'approved' | 'approvedBy'
>;

/** Begins it, or shows what would happen. Throws a refusal in the words of the catalogue. */
export async function begin(
  what: Wanted,
  { dryRun, override }: Options,
  { person, room, services, now, handOver, approved, approvedBy }: Begins,
): Promise<Content | void> {
  await mayOverride(services, person, what.environment, override);
  if (dryRun) {
    const seen = await services.deploys.preview(what);
    if (seen.kind === 'refused') throw refusal(seen, now);
    return previewCard(seen, override !== undefined, now);
  }
  const audit = handOver();
  const result = await services.deploys.start({
    ...what,
    by: { id: person.id, name: person.name },
    origin: addressOf(room),
    ...(audit === undefined ? {} : { audit }),
    ...(override === undefined ? {} : { override }),
    ...(approved === undefined
      ? {}
      : { approved: changeOf(approved), approvedBy: approvedBy.map(({ id, name }) => ({ id, name })) }),
  });
  if (result.kind === 'refused') throw refusal(result, now);
  // The card of the deployment is the answer; it is in the room already.
}

function changeOf({ version = '', commit, previous }: Facts): Change {
  return { version, ...(commit === undefined ? {} : { commit }), ...(previous === undefined ? {} : { previous }) };
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
    case 'unknown_name':
      return fail('deploy.version-name', refused);
    case 'ambiguous':
      return fail('deploy.version-ambiguous', refused);
    case 'not_built':
      return fail('deploy.version-built', refused);
    case 'none_passed':
      return fail('deploy.version-passed', refused);
    case 'source':
      return fail('deploy.source', refused);
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
    case 'rules':
      return fail('deploy.rules', { ...refused, says: ruleLines(refused.broken) });
    case 'busy':
      return fail('deploy.busy', { ...refused.holder, by: refused.holder.by.name });
    case 'approval':
      return fail('deploy.approval', refused);
    case 'changed':
      return fail('deploy.changed', {
        ...refused,
        approved: changeText(refused.approved),
        now: changeText(refused.now),
      });
  }
}
