/** Which messages are for the robot, and what of them it gets. */

import { type RobotNames, withoutName } from '../../../bot/addressed.ts';

export interface Addressed {
  readonly addressed: boolean;
  /** The text for the robot: without the slash of `/deploy …`; a leading name stays, the robot strips it. */
  readonly text: string;
}

/** In a direct conversation with the robot every line is for it; elsewhere `shipmate …`, `@shipmate …` and `/deploy …`. */
export function addressed(text: string, names: RobotNames, direct: boolean): Addressed {
  const trimmed = text.trim();
  if (/^\/(?=[a-z])/i.test(trimmed) && withoutName(trimmed, names) === undefined) {
    return { addressed: true, text: trimmed.slice(1) };
  }
  return { addressed: direct || withoutName(trimmed, names) !== undefined, text: trimmed };
}
