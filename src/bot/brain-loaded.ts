/** The moment at which scripts may use what the brain holds. */

import { type LoadProblem, loadProblem } from './load-problem.ts';
import type { Robot } from './robot.ts';

/**
 * Tells the scripts that the brain's data are there, by the brain's event 'loaded'. The data are there before any script
 * loads, so this is called after the last one: every script that waits for them hears it.
 *
 * @param scripts files that were loaded, to name the one that fails
 */
export async function brainLoaded(robot: Robot, scripts: readonly string[] = []): Promise<readonly LoadProblem[]> {
  try {
    robot.brain.emit('loaded', robot.brain.data);
    return [];
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    const file = scripts.find((script) => stack.includes(`${script}:`)) ?? "a script's robot.brain.on('loaded')";
    return [await loadProblem(file, error)];
  }
}
