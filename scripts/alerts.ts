// Description:
//   Alerts: what is firing, who looks at it

import { type ArgContext, arg, type Offer } from '../src/bot/args.ts';
import { card, moment, plain } from '../src/bot/card.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import { alertCard } from '../src/domain/alerts/card.ts';
import { listCard } from '../src/domain/alerts/list.ts';

const OPEN = 30;
const HISTORY = 20;
const OFFERED = 50;

export default function alerts(robot: Robot): void {
  command(robot, {
    id: 'alerts.list',
    usage: 'alerts [which]',
    summary: 'What is firing now; "alerts all" shows earlier ones too',
    examples: ['alerts', 'alerts all'],
    args: { which: arg.oneOf(['open', 'all']) },
    effect: 'read',
    needs: 'public',
    async run({ args, services, now }) {
      const which = args.which ?? 'open';
      return listCard(await services.alerts.list({ which, limit: which === 'all' ? HISTORY : OPEN }), which, now);
    },
  });

  command(robot, {
    id: 'alerts.show',
    usage: 'alerts show <alert>',
    summary: 'One alert with all that is known of it',
    examples: ['alerts show 3'],
    args: { alert: arg.integer({ min: 1, offers: (context) => known(context, 'all') }) },
    effect: 'read',
    needs: 'public',
    async run({ args, services }) {
      const alert = await services.alerts.get(args.alert);
      if (!alert) throw fail('alerts.unknown', { alert: args.alert });
      const context = await services.alerts.context(args.alert);
      const options = { members: 40, labels: 40, ...(context === undefined ? {} : { context }) };
      const { actions = [], ...shown } = alertCard(alert, options);
      // These are the details.
      return card({ ...shown, actions: actions.filter(({ label }) => label !== 'Details') });
    },
  });

  command(robot, {
    id: 'alerts.acknowledge',
    usage: 'alerts ack <alert> [note...]',
    aliases: ['ack <alert> [note...]'],
    summary: 'Say that you look at it; its card shows who and when',
    examples: ['alerts ack 3', 'ack 3 disk is being extended'],
    args: { alert: arg.integer({ min: 1, offers: (context) => known(context, 'open') }), note: arg.text() },
    effect: 'change',
    needs: 'alerts:ack',
    async run({ args, person, room, services }) {
      const who = room.private ? 'You have' : `${plain(person.name)} has`;
      const outcome = await services.alerts.acknowledge(args.alert, { id: person.id, name: person.name }, args.note);
      switch (outcome.kind) {
        case 'acknowledged':
          return `${who} alert ${args.alert}: ${plain(outcome.alert.title)}.`;
        case 'already': {
          const { by, at } = outcome.acknowledged;
          if (by.id === person.id) return `${who} alert ${args.alert} since ${moment(at)}.`;
          throw fail('alerts.acknowledged', { alert: args.alert, by: by.name, at: moment(at) });
        }
        case 'resolved':
          throw fail('alerts.resolved', { alert: args.alert });
        case 'unknown':
          throw fail('alerts.unknown', { alert: args.alert });
      }
    },
  });

  command(robot, {
    id: 'alerts.test',
    usage: 'alerts test',
    summary: 'Send a test alert through the real intake; it resolves by itself',
    examples: ['alerts test'],
    effect: 'change',
    needs: 'alerts:test',
    async run({ services }) {
      const outcome = await services.alerts.test();
      if (outcome.kind === 'refused') throw fail('alerts.test', { reason: outcome.reason });
      return card({
        title: 'Test alert sent',
        tone: 'good',
        text: `It comes to ${outcome.rooms.map((room) => `**${plain(room)}**`).join(', ')} and resolves in ${outcome.resolvesInSeconds} s.`,
        actions: [{ label: 'What is firing', command: 'alerts' }],
      });
    },
  });
}

/** Newest first, and by what they say. */
async function known({ services }: ArgContext, which: 'open' | 'all'): Promise<readonly Offer[]> {
  const found = await services?.alerts?.list({ which, limit: OFFERED });
  return (found?.alerts ?? []).map(({ number, title, state, acknowledged }) => ({
    value: String(number),
    label: `#${number} ${title} (${acknowledged && state !== 'resolved' ? `with ${acknowledged.by.name}` : state})`,
  }));
}
