/** What /metrics tells Prometheus. */

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CommandMetrics } from './dispatch.ts';
import type { HookMetrics } from './hooks.ts';

export interface Metrics {
  readonly commands: CommandMetrics;
  readonly hooks: HookMetrics;
  heard(chat: string, addressed: boolean): void;
  /** A deployment has ended. */
  deployed(state: string): void;
  readonly contentType: string;
  /** The page, in Prometheus' text format. */
  page(): Promise<string>;
}

/** @param about labels of `shipmate_build_info` */
export function createMetrics(about: { readonly version: string; readonly database: string }): Metrics {
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
  const hooks = new Counter({
    name: 'shipmate_hook_requests_total',
    help: 'Requests to /hooks by outcome',
    labelNames: ['source', 'outcome'],
    registers,
  });
  return {
    commands: {
      finished(command, outcome, duration) {
        commands.inc({ command, outcome });
        seconds.observe({ command }, duration);
      },
    },
    hooks: { received: (source, outcome) => hooks.inc({ source, outcome }) },
    deployed: (state) => deployments.inc({ state }),
    heard: (chat, addressed) => messages.inc({ chat, addressed: String(addressed) }),
    contentType: registry.contentType,
    page: () => registry.metrics(),
  };
}
