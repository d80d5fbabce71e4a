/** Parts of the chat for tests of one of them. */

import { createSlackApi, type SlackApiOptions } from '../../../src/adapters/chat/slack/api.ts';
import type { Inbox, InboxEvent, SlackApi } from '../../../src/adapters/chat/slack/ports.ts';
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

/** An inbox in memory, which can be away. */
export function memoryInbox(): Inbox & { readonly open: Map<number, InboxEvent>; away: boolean; saves: number } {
  const names = new Set<string>();
  const open = new Map<number, InboxEvent>();
  let last = 0;
  const inbox = {
    open,
    away: false,
    saves: 0,
    async save({ names: given, ...event }: Parameters<Inbox['save']>[0]) {
      await new Promise((resolve) => setImmediate(resolve));
      if (inbox.away) throw new Error('the database is away');
      inbox.saves++;
      const own = given.map((name) => `${event.chat} ${name}`);
      if (own.some((name) => names.has(name))) return undefined;
      for (const name of own) names.add(name);
      last++;
      const saved = { id: last, ...event };
      open.set(last, saved);
      return saved;
    },
    async handled(id: number) {
      await new Promise((resolve) => setImmediate(resolve));
      if (inbox.away) throw new Error('the database is away');
      open.delete(id);
    },
    claimOf: async () => [],
    purge: async () => undefined,
  };
  return inbox;
}
