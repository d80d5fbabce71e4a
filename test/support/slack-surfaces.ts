/** The robot of slack-robot.ts with real forms, and a command that has something to fill in. */

import type { SlackParts } from '../../src/adapters/chat/slack/ports.ts';
import { createAccess } from '../../src/bot/access.ts';
import { arg } from '../../src/bot/args.ts';
import { type Content, plain } from '../../src/bot/card.ts';
import type { Person } from '../../src/bot/chat.ts';
import { command } from '../../src/bot/command.ts';
import { createForms, type Forms } from '../../src/bot/form.ts';
import type { Suggestion } from '../../src/bot/overview.ts';
import type { Database } from '../../src/storage/database.ts';
import { everybodyInside } from './people.ts';
import type { SlackServer } from './slack/server.ts';
import { type SlackRobot, startSlackRobot } from './slack-robot.ts';

export interface SlackSurfacesRobot extends SlackRobot {
  /** Lines that were deployed, with who and where. */
  readonly deployed: readonly string[];
}

export interface Shown {
  /** Names of services that exist; changed while it runs. */
  readonly services: string[];
  overview?(person: Person): readonly Content[];
  suggestions?(person: Person): readonly Suggestion[];
}

/** Starts it. `ship <service> [version] to <environment> [--dry-run]` is a change, `show <environment>` a read. */
export async function startSurfaces(slack: SlackServer, db: Database, shown: Shown): Promise<SlackSurfacesRobot> {
  const deployed: string[] = [];
  let forms: Forms | undefined;
  const names = {
    services: () => shown.services,
    environments: () => ['staging', 'production'],
    people: async () => [],
    rooms: async () => [],
  };
  const made = (): Forms => {
    if (!forms) throw new Error('not started yet');
    return forms;
  };
  const surfaces: SlackParts['surfaces'] = {
    form: (...asked) => made().form(...asked),
    options: (...asked) => made().options(...asked),
    fill: (...asked) => made().fill(...asked),
    overview: async (person) => shown.overview?.(person) ?? [],
    suggestions: async (person) => shown.suggestions?.(person) ?? [],
  };
  const bot = await startSlackRobot({ slack, db, parts: { surfaces } });
  forms = createForms({
    table: bot.robot.table,
    access: createAccess({
      policy: { everyone: [], people: {}, groups: {}, roles: {} },
      store: { all: async () => [], add: async () => true, remove: async () => true },
      people: everybodyInside,
      changed: async () => undefined,
      now: () => new Date(),
    }),
    names,
    now: () => new Date(),
  });
  command(bot.robot, {
    id: 'ship.start',
    usage: 'ship <service> [version] to <environment> [--dry-run] [note...]',
    summary: 'Ship something & tell',
    examples: ['ship api to staging'],
    args: {
      service: arg.word(() => shown.services),
      version: arg.word(),
      environment: arg.oneOf(['staging', 'production']),
      dryRun: arg.flag(),
      note: arg.text(),
    },
    effect: 'change',
    needs: 'public',
    run({ args, person, room, text, via }) {
      deployed.push(`${person.name} ${room.room} ${via}: ${text}`);
      return `Shipped ${plain(args.service)}.`;
    },
  });
  command(bot.robot, {
    id: 'ship.show',
    usage: 'show <environment> [--of <of>]',
    summary: 'Show something',
    examples: ['show staging'],
    args: { environment: arg.oneOf(['staging', 'production']), of: { ...arg.service(), parse: arg.word().parse } },
    effect: 'read',
    needs: 'public',
    run: ({ args }) => `Here is ${args.environment} of ${plain(args.of ?? 'all')}.`,
  });
  return { ...bot, deployed };
}
