// Description:
//   What can be run, shown to each person as far as they may run it

import { arg } from '../src/bot/args.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import { helpCard, helpOn, nearTopics, visibleCommands } from '../src/bot/help.ts';
import type { Robot } from '../src/bot/robot.ts';

export default function help(robot: Robot): void {
  command(robot, {
    id: 'help.show',
    usage: 'help [topic...]',
    summary: 'What you can run; with a word, more about it',
    examples: ['help', 'help deploy'],
    args: { topic: arg.text() },
    effect: 'read',
    needs: 'public',
    async run({ args, person, services }) {
      const { commands, access } = services;
      const visible = await visibleCommands(commands.all(), person, access);
      if (args.topic === undefined) return helpCard(visible, commands.others(), commands.robotName);
      const about = [visible, commands.others(), commands.robotName] as const;
      const found = helpOn(args.topic, ...about);
      if (found) return found;
      const near = nearTopics(args.topic, ...about).map((topic) => `help ${topic}`);
      throw fail('help.nothing', { topic: args.topic, near });
    },
  });
}
