/** config/alerts.yaml. */

import { RE2JS } from 're2js';
import { z } from 'zod';
import { type AlertsConfig, type Matcher, parseMatcher } from '../domain/alerts/config.ts';

/** Longest regular expression of a matcher; also bounds what it costs. */
const REGEX_LIMIT = 500;

/**
 * Prometheus matches in RE2's syntax and in linear time, and so do we: labels come from outside, and an expression of
 * JavaScript can take for ever on the right one.
 */
function compile(pattern: string): (value: string) => boolean {
  if (pattern.length > REGEX_LIMIT) throw new Error(`a regular expression may have ${REGEX_LIMIT} characters`);
  const compiled = RE2JS.compile(pattern, RE2JS.DOTALL);
  return (value) => compiled.matches(value);
}

/** The name of a room. */
export const room = z
  .string()
  .trim()
  .regex(/^(?:[a-z][a-z0-9-]*:)?[^\s:]+$/, 'must be the name of a room, such as ops or slack:ops')
  .describe('A room of the main chat (`ops`), or of another one (`slack:ops`)');

/** A matcher as Alertmanager writes them. */
export const matcher = z.string().transform((text, context): Matcher => {
  try {
    return parseMatcher(text, compile);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

const route = z.strictObject({
  matchers: z
    .array(matcher)
    .min(1, 'give at least one matcher; what no route takes goes to the default room')
    .describe('All of them must match: `severity="critical"`, `team=~"pay.*"`, `env!="dev"`, `env!~"dev|test"`'),
  room,
  continue: z.boolean().default(false).describe('Whether later routes are tried as well'),
});

/** What the file may say; the result is what the domain works with. */
export const alertsSchema = z
  .strictObject({
    room: room.default('ops').describe('Where alerts go that no route takes'),
    routes: z.array(route).max(200).default([]).describe('Tried in order; the first that matches takes the alert'),
  })
  .transform((found): AlertsConfig => found);
