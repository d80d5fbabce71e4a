/** What /metrics tells Prometheus. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ApiMetrics } from './api.ts';
import type { CommandMetrics } from './dispatch.ts';
import type { HookMetrics } from './hooks.ts';

/** What waits, counted when the page is asked for. */
export interface Backlog {
  readonly postsWaiting: number;
  /** Age of the oldest post that waits, in seconds; 0 if none does. */
  readonly oldestPostSeconds: number;
  /** Posts that their chat refused for good. */
  readonly postsGivenUp: number;
  readonly hooksWaiting: number;
  /** Events that could not be handled and are no longer tried. */
  readonly hooksPutAside: number;
  readonly alertsFiring: number;
  readonly deploymentsOpen: number;
}

const backlogGauges: readonly (readonly [keyof Backlog, readonly [name: string, help: string]])[] = [
  ['postsWaiting', ['shipmate_posts_waiting', 'Posts that their chat has not taken yet']],
  ['oldestPostSeconds', ['shipmate_posts_oldest_seconds', 'Age of the oldest post that waits']],
  ['postsGivenUp', ['shipmate_posts_given_up', 'Posts that their chat refused for good']],
  ['hooksWaiting', ['shipmate_hook_events_waiting', 'Hook events that are stored and not handled yet']],
  ['hooksPutAside', ['shipmate_hook_events_put_aside', 'Hook events that could not be handled']],
  ['alertsFiring', ['shipmate_alerts_firing', 'Alerts that are not resolved']],
  ['deploymentsOpen', ['shipmate_deployments_open', 'Deployments that wait or run']],
];

/** What the Slack chat counts. */
export interface SlackMetrics {
  /** `outcome`: accepted, repeated, unsigned, … */
  received(via: 'socket' | 'http', outcome: string): void;
  /** Slack asked for patience with a method. */
  limited(method: string): void;
  /** Socket Mode connections that are open now. */
  connected(chat: string, connections: number): void;
}

export interface Metrics {
  readonly commands: CommandMetrics;
  readonly hooks: HookMetrics;
  readonly slack: SlackMetrics;
  readonly api: ApiMetrics;
  heard(chat: string, addressed: boolean): void;
  /** A deployment has ended. */
  deployed(state: string): void;
  /** The robot set out to roll a deployment back by itself. */
  rolledBack(cause: string, outcome: string): void;
  /** A question was answered: by whom, or not at all. */
  asked(origin: string): void;
  readonly contentType: string;
  /** The page, in Prometheus' text format. */
  page(): Promise<string>;
}

/**
 * @param about labels of `shipmate_build_info`
 * @param backlog asked for each page; what it cannot tell now is left out of the page
 */
export function createMetrics(
  about: { readonly version: string; readonly database: string },
  backlog: () => Promise<Backlog>,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'shipmate_build_info', help: 'Always 1', labelNames: ['version', 'database'], registers }).set(
    { ...about },
    1,
  );
  const commands = new Counter({
    name: 'shipmate_commands_total',
    help: 'Commands by outcome',
    labelNames: ['command', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'shipmate_command_duration_seconds',
    help: 'Time from the parsed line to the end of the command',
    labelNames: ['command'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const messages = new Counter({
    name: 'shipmate_messages_total',
    help: 'Messages heard',
    labelNames: ['chat', 'addressed'],
    registers,
  });
  const deployments = new Counter({
    name: 'shipmate_deployments_total',
    help: 'Deployments that ended, by how',
    labelNames: ['state'],
    registers,
  });
  const rollbacks = new Counter({
    name: 'shipmate_rollbacks_total',
    help: 'Deployments that the robot set out to roll back by itself, by cause and by what came of it',
    labelNames: ['cause', 'outcome'],
    registers,
  });
  const questions = new Counter({
    name: 'shipmate_questions_total',
    help: 'Questions by what answered them',
    labelNames: ['origin'],
    registers,
  });
  const hooks = new Counter({
    name: 'shipmate_hook_requests_total',
    help: 'Requests to /hooks by outcome',
    labelNames: ['source', 'outcome'],
    registers,
  });
  const apiAnswers = new Counter({
    name: 'shipmate_api_requests_total',
    help: 'Requests to /api/commands by the outcome that they were told, and status',
    labelNames: ['outcome', 'status'],
    registers,
  });
  const apiOpen = new Gauge({ name: 'shipmate_api_requests_open', help: 'Answers that are open now', registers });
  const apiTokens = new Counter({
    name: 'shipmate_api_tokens_total',
    help: 'Secrets of tokens that were fetched, and requests with a wrong one',
    labelNames: ['event'],
    registers,
  });
  const slackReceived = new Counter({
    name: 'shipmate_slack_requests_total',
    help: 'What came from Slack, or pretended to, by outcome',
    labelNames: ['via', 'outcome'],
    registers,
  });
  const slackLimited = new Counter({
    name: 'shipmate_slack_limited_total',
    help: 'Calls that Slack answered with 429',
    labelNames: ['method'],
    registers,
  });
  const slackConnections = new Gauge({
    name: 'shipmate_slack_connections',
    help: 'Open Socket Mode connections',
    labelNames: ['chat'],
    registers,
  });
  // In a registry of its own, made for each page: a figure that is not known now must not be shown as the last one.
  async function waiting(): Promise<string> {
    const page = new Registry();
    try {
      const counted = await backlog();
      for (const [key, [name, help]] of backlogGauges) new Gauge({ name, help, registers: [page] }).set(counted[key]);
    } catch {
      return '';
    }
    return await page.metrics();
  }

  return {
    commands: {
      finished(command, outcome, duration) {
        commands.inc({ command, outcome });
        seconds.observe({ command }, duration);
      },
    },
    hooks: { received: (source, outcome) => hooks.inc({ source, outcome }) },
    api: {
      opened: () => apiOpen.inc(),
      closed(outcome, status) {
        apiOpen.dec();
        apiAnswers.inc({ outcome, status });
      },
      token: (event) => apiTokens.inc({ event }),
    },
    slack: {
      received: (via, outcome) => slackReceived.inc({ via, outcome }),
      limited: (method) => slackLimited.inc({ method }),
      connected: (chat, connections) => slackConnections.set({ chat }, connections),
    },
    deployed: (state) => deployments.inc({ state }),
    rolledBack: (cause, outcome) => rollbacks.inc({ cause, outcome }),
    heard: (chat, addressed) => messages.inc({ chat, addressed: String(addressed) }),
    contentType: registry.contentType,
    asked: (origin) => questions.inc({ origin }),
    page: async () => `${await registry.metrics()}\n${await waiting()}`,
  };
}
