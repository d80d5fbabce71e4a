/** Parts of the chat for tests of one of them. */

import { createSlackApi, type SlackApiOptions } from '../../../src/adapters/chat/slack/api.ts';
import type { SlackApi } from '../../../src/adapters/chat/slack/ports.ts';
import type { SlackMetrics } from '../../../src/bot/metrics.ts';
import { collectingLog } from '../log.ts';
import type { SlackServer } from './server.ts';

export interface CountedMetrics extends SlackMetrics {
  readonly outcomes: Map<string, number>;
  readonly limits: string[];
  connections: number;
  of(outcome: string): number;
}

/** Metrics that tests can read. */
export function countedMetrics(): CountedMetrics {
  const outcomes = new Map<string, number>();
  const counted: CountedMetrics = {
    outcomes,
    limits: [],
    connections: 0,
    of: (outcome) => outcomes.get(outcome) ?? 0,
    received: (_, outcome) => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1),
    limited: (method) => void counted.limits.push(method),
    connected: (_, connections) => {
      counted.connections = connections;
    },
  };
  return counted;
}

/** The Web API of a server of the tests. */
export function apiOf(
  slack: Pick<SlackServer, 'apiUrl' | 'botToken'>,
  options: Partial<SlackApiOptions> = {},
): { api: SlackApi; log: ReturnType<typeof collectingLog>; metrics: CountedMetrics } {
  const log = collectingLog();
  const metrics = countedMetrics();
  const workspace = { chat: 'slack', botToken: slack.botToken, apiUrl: slack.apiUrl };
  return { api: createSlackApi({ workspace, robotName: 'shipmate', log, metrics, ...options }), log, metrics };
}
