/** Which rooms hear an alert. */

import type { AlertsConfig } from './config.ts';
import { labelOf } from './labels.ts';
import type { Labels } from './ports.ts';

/**
 * Rooms for these labels. Routes are tried in order; the first that matches takes the alert, and later ones are tried only if
 * it says `continue`. What no route takes goes to the default room.
 */
export function route(config: AlertsConfig, labels: Labels): readonly string[] {
  const rooms = new Set<string>();
  for (const each of config.routes) {
    if (!each.matchers.every((matcher) => matcher.test(labelOf(labels, matcher.label)))) continue;
    rooms.add(each.room);
    if (!each.continue) break;
  }
  return rooms.size > 0 ? [...rooms] : [config.room];
}

/** Every room that some alert could go to. */
export function roomsOf(config: AlertsConfig): readonly string[] {
  return [...new Set([config.room, ...config.routes.map((each) => each.room)])];
}
