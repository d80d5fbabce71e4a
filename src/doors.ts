/** What comes in by HTTP besides the chats: hooks, programs, readers of runbooks and logs. A part of the composition root. */

import type { IncomingMessage } from 'node:http';
import { alertmanagerHook } from './adapters/alerts/alertmanager/hook.ts';
import { isFromHere, isLocalUrl } from './adapters/chat/web/gate.ts';
import { runbookHandler } from './adapters/knowledge/page.ts';
import { createApi } from './bot/api.ts';
import type { ApiRequestStore } from './bot/api-requests.ts';
import type { ApiTokens } from './bot/api-tokens.ts';
import { type Content, cardText } from './bot/card.ts';
import type { Dispatch } from './bot/dispatch.ts';
import { healthRoutes } from './bot/health.ts';
import { createHooks, type Hook, type Hooks } from './bot/hooks.ts';
import type { Jobs } from './bot/jobs.ts';
import type { Logger } from './bot/log.ts';
import type { Metrics } from './bot/metrics.ts';
import { ownFileHandler, type ReadOwnFile } from './bot/own-files.ts';
import type { Robot } from './bot/robot.ts';
import type { Config } from './config/config.ts';
import type { Alerts } from './domain/alerts/ports.ts';
import type { KnowledgeSource } from './domain/ask/ports.ts';
import { redactContent } from './domain/privacy/content.ts';
import { redact } from './domain/privacy/redact.ts';
import type { Database } from './storage/database.ts';
import { createHookStore } from './storage/hooks.ts';

/** How long requests of programs can be asked for again. */
const API_MEMORY_MS = 7 * 24 * 3_600_000;

export interface DoorsParts {
  readonly config: Config;
  /** Prepared: its HTTP server is there, unless HTTP is off. */
  readonly robot: Robot;
  readonly database: Database;
  readonly jobs: Jobs;
  readonly dispatch: Dispatch;
  readonly tokens: ApiTokens;
  readonly apiRequests: ApiRequestStore;
  readonly alerts: Alerts;
  /** Hooks besides that of Alertmanager. */
  readonly hooks: readonly Hook[];
  readonly runbooks: KnowledgeSource;
  readonly ownFile: ReadOwnFile;
  /** The common token of hooks, which opens `/metrics`, too. */
  readonly hookToken: string;
  readonly metrics: Metrics;
  readonly log: Logger;
  now(): Date;
  newId(): string;
  newReference(): string;
  isStorageTrouble(error: unknown): boolean;
  /** Whether the request is of somebody who is signed in to the web chat. */
  admits(request: IncomingMessage): Promise<boolean>;
  /** Neither starting nor stopping. */
  isRunning(): boolean;
}

export interface Doors {
  readonly hooks: Pick<Hooks, 'start' | 'recover'>;
  /** Repeats what is to be done again and again. */
  start(): Promise<void>;
  /** Ends every answer to a program. */
  close(): Promise<void>;
}

export function createDoors(parts: DoorsParts): Doors {
  const { config, robot, database, jobs, hookToken, metrics, log, now, isStorageTrouble } = parts;
  const hooks = createHooks({
    store: createHookStore(database),
    tokens: [hookToken],
    jobs,
    log,
    now,
    metrics: metrics.hooks,
    redact,
    isTransient: isStorageTrouble,
  });
  for (const hook of [alertmanagerHook(parts.alerts), ...parts.hooks]) hooks.register(hook);
  const api = createApi({
    tokens: parts.tokens,
    dispatch: parts.dispatch,
    store: parts.apiRequests,
    log,
    metrics: metrics.api,
    redact: redactContent,
    plainText,
    isStorageTrouble,
    now,
    newId: parts.newId,
    newReference: parts.newReference,
  });
  jobs.define('api.retention', {}, () => parts.apiRequests.purge(new Date(now().getTime() - API_MEMORY_MS)));
  const routes = robot.httpServer?.beforeParsers;
  if (routes) {
    routes.use('/hooks', hooks.handler);
    routes.use('/api/commands', api.commands);
    routes.use('/token', api.token);
    // What is in a runbook is for the team: this machine, and whoever is signed in. Behind a public address, a proxy on
    // this machine may look like the machine itself.
    const publicUrl = config.variables.SHIPMATE_PUBLIC_URL;
    const open = config.http.open || (publicUrl !== undefined && !isLocalUrl(publicUrl));
    const reads = async (request: IncomingMessage): Promise<boolean> =>
      (!open && isFromHere(request)) || (await parts.admits(request));
    if (!open || config.webChat) {
      routes.use('/runbooks', runbookHandler(parts.runbooks, reads));
      routes.use('/deploys', ownFileHandler(parts.ownFile, reads));
    }
    const troubles = () => troublesOf(database, robot, parts.isRunning());
    healthRoutes(routes, { metrics, token: hookToken, troubles });
  }
  return {
    hooks,
    start: () => jobs.schedule('api.retention', '37 3 * * *'),
    close: () => api.close(),
  };
}

/** For programs: no markup, and nothing to press. */
async function plainText(content: Content): Promise<string> {
  const { markdownText } = await import('./adapters/chat/text/markdown-text.ts');
  return markdownText(cardText(content, ''));
}

async function troublesOf(database: Database, robot: Robot, isRunning: boolean): Promise<readonly string[]> {
  if (!isRunning) return ['starting or stopping'];
  const chats = [...robot.chats.values()].flatMap(({ trouble }) => trouble ?? []);
  try {
    await database.pool.query('select 1');
    return chats;
  } catch {
    return ['database', ...chats];
  }
}
