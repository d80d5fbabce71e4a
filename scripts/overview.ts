// Description:
//   What concerns whoever asks: approvals, alerts, what is running, what they may do

import { command } from '../src/bot/command.ts';
import { overviewCard, overviewOf } from '../src/bot/overview.ts';
import type { Robot } from '../src/bot/robot.ts';

export default function overview(robot: Robot): void {
  command(robot, {
    id: 'help.overview',
    usage: 'overview',
    summary: 'What waits for you, what fires, what is being deployed, what you can do',
    examples: ['overview'],
    effect: 'read',
    needs: 'public',
    answers: 'asker',
    run: async ({ person, room, services, now }) => overviewCard(await overviewOf(person, services, now, room)),
  });
}
