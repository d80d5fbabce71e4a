// Description:
//   Kubernetes: pods, logs, events; restart and scale

import { type ArgContext, arg } from '../src/bot/args.ts';
import { card, plain } from '../src/bot/card.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import type { Services } from '../src/bot/services.ts';
import { lockOn, scopeWords, untilWords } from '../src/domain/deploy/locks.ts';
import { isSamePlace } from '../src/domain/deploy/place.ts';
import { describeCard, eventsCard, podLogCard, podsCard } from '../src/domain/kubernetes/cards.ts';
import { KubernetesProblem, type Place } from '../src/domain/kubernetes/ports.ts';

const LINES = 50;

export default function kubernetes(robot: Robot): void {
  const place = { service: arg.service(), environment: arg.environment() };
  const reading = ({ environment }: { readonly environment: string }) => `kubernetes:read:${environment}`;
  const changing = ({ environment }: { readonly environment: string }) => `deploy:${environment}`;

  command(robot, {
    id: 'kubernetes.pods',
    usage: 'kubernetes pods <service> in <environment>',
    summary: 'The pods of a service: version, ready or why not, restarts',
    examples: ['kubernetes pods hello in staging'],
    args: place,
    effect: 'read',
    needs: reading,
    run: async ({ args, services, now }) => podsCard(args, await told(services.kubernetes.pods(args)), now),
  });

  command(robot, {
    id: 'kubernetes.logs',
    usage:
      'kubernetes logs <service> in <environment> [--pod <pod>] [--container <container>] [--lines <lines>] [--previous]',
    summary: 'The last lines of a pod; of the one in most trouble if none is named',
    examples: ['kubernetes logs hello in staging', 'kubernetes logs hello in staging --lines 200 --previous'],
    args: {
      ...place,
      pod: arg.word(podsOf),
      container: arg.word(),
      lines: arg.integer({ min: 1, max: 1000 }),
      previous: arg.flag(),
    },
    effect: 'read',
    needs: reading,
    async run({ args, services }) {
      const { pod, container, lines = LINES, previous } = args;
      const query = {
        lines,
        previous,
        ...(pod === undefined ? {} : { pod }),
        ...(container === undefined ? {} : { container }),
      };
      return podLogCard(args, await told(services.kubernetes.log(args, query)));
    },
  });

  command(robot, {
    id: 'kubernetes.events',
    usage: 'kubernetes events <service> in <environment>',
    summary: 'What the cluster did with a service lately, and what it complains of',
    examples: ['kubernetes events hello in staging'],
    args: place,
    effect: 'read',
    needs: reading,
    run: async ({ args, services, now }) => eventsCard(args, await told(services.kubernetes.events(args)), now),
  });

  command(robot, {
    id: 'kubernetes.describe',
    usage: 'kubernetes describe <service> in <environment>',
    summary: 'The Deployments of a service: replicas, images, resources, probes, last change',
    examples: ['kubernetes describe hello in staging'],
    args: place,
    effect: 'read',
    needs: reading,
    run: async ({ args, services }) => describeCard(args, await told(services.kubernetes.describe(args))),
  });

  command(robot, {
    id: 'kubernetes.restart',
    usage: 'kubernetes restart <service> in <environment>',
    summary: 'Replace all pods of a service, a few at a time, with the same version',
    examples: ['kubernetes restart hello in staging'],
    args: place,
    effect: 'change',
    needs: changing,
    async run({ args, person, services, now }) {
      await undisturbed(services, args, now);
      const names = await told(services.kubernetes.restart(args, person.name, now));
      return card({
        title: `${args.service} in ${args.environment} is being restarted`,
        tone: 'progress',
        text: `The pods of ${names.map(plain).join(', ')} are replaced a few at a time.`,
        actions: [{ label: 'Pods', command: `kubernetes pods ${args.service} in ${args.environment}` }],
      });
    },
  });

  command(robot, {
    id: 'kubernetes.scale',
    usage: 'kubernetes scale <service> to <replicas> in <environment> [--deployment <deployment>]',
    summary: 'Run more or fewer pods of a service',
    examples: ['kubernetes scale hello to 3 in staging'],
    args: {
      ...place,
      replicas: arg.integer({ min: 0, max: 1000, offers: () => ['1', '2', '3', '5', '10'] }),
      deployment: arg.word(),
    },
    effect: 'change',
    needs: changing,
    confirm: ({ service, replicas, environment }) =>
      replicas === 0 ? `That stops ${service} in ${environment} altogether. Really?` : undefined,
    async run({ args, services, now }) {
      await undisturbed(services, args, now);
      const { deployment, before, after } = await told(services.kubernetes.scale(args, args.replicas, args.deployment));
      const back = args.deployment === undefined ? '' : ` --deployment ${deployment}`;
      const { service, environment } = args;
      return card({
        title: `${deployment} in ${environment}: ${before === after ? `${after}, as before` : `from ${before} to ${after}`}`,
        tone: 'good',
        actions: [
          { label: 'Pods', command: `kubernetes pods ${service} in ${environment}` },
          ...(before === after
            ? []
            : [
                {
                  label: `Back to ${before}`,
                  command: `kubernetes scale ${service} to ${before} in ${environment}${back}`,
                },
              ]),
        ],
      });
    },
  });
}

/** Nothing is changed under a deployment that is going on, nor behind a lock: who locked a place wants it left as it is. */
async function undisturbed({ deploys, locks }: Services, { service, environment }: Place, now: Date): Promise<void> {
  const [open, all] = await Promise.all([deploys.running(), locks.all()]);
  const lock = lockOn(all, { service, environment }, now);
  if (lock) {
    const { owner, reason } = lock;
    throw fail('kubernetes.locked', { scope: scopeWords(lock), by: owner.name, until: untilWords(lock), reason });
  }
  const holder = open.find((one) => isSamePlace(one, { service, environment }));
  if (holder) throw fail('kubernetes.busy', { service, environment, version: holder.version, by: holder.by.name });
}

async function podsOf({ services, given }: ArgContext): Promise<readonly string[]> {
  const { service, environment } = given ?? {};
  if (service === undefined || environment === undefined) return [];
  const pods = (await services?.kubernetes?.pods({ service, environment }).catch(() => [])) ?? [];
  return pods.map(({ name }) => name);
}

/** A problem in the words of the catalogue. */
async function told<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof KubernetesProblem)) throw error;
    const { problem } = error;
    switch (problem.kind) {
      case 'elsewhere':
        throw fail('kubernetes.elsewhere', problem);
      case 'environment':
        throw fail('deploy.environment', problem);
      case 'unknown':
        throw fail('kubernetes.unknown', problem);
      case 'unclear':
        throw fail('kubernetes.unclear', problem);
    }
  }
}
