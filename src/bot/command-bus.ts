/** What a script finds at `robot.commands`: Hubot's command layer is not there, and saying so beats half working. */

import { CommandBus } from 'hubot';

/** A command bus that registers nothing, and whose every method but the one that Hubot's shutdown calls says what to use instead. */
export function noCommandBus(): CommandBus {
  return new Proxy(Object.create(CommandBus.prototype), {
    get(target, name, receiver) {
      if (name === 'clearPendingProposals') return () => undefined;
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function' || name === 'constructor' || typeof name === 'symbol') return value;
      return () => {
        throw new Error(
          `robot.commands.${name} is not available: declare the command with command(robot, …) from src/bot/command.ts`,
        );
      };
    },
  });
}
