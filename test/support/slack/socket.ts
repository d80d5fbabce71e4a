/** Socket Mode: tickets, connections, envelopes and acknowledgements; docs.slack.dev/apis/events-api/using-socket-mode. */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Attempt, Envelope, Retry, Way } from './delivery.ts';
import { acknowledgement } from './schema.ts';
import type { Workspace } from './workspace.ts';

export type DisconnectReason = 'warning' | 'refresh_requested' | 'link_disabled' | 'too_many_websockets';

interface Connection {
  readonly id: string;
  readonly socket: WebSocket;
  /** A connection that was told to go gets nothing new. */
  leaving: boolean;
  readonly waiting: Map<string, (attempt: Attempt) => void>;
}

/** Slack allows this many connections an app. */
const mostConnections = 10;

export class Sockets implements Way {
  readonly #workspace: Workspace;
  readonly #ackWithinMs: () => number;
  readonly #random: () => number;
  readonly #problem: (text: string) => void;
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #tickets = new Set<string>();
  readonly #connections: Connection[] = [];
  #opened: (() => void)[] = [];
  readonly #late = new Set<string>();
  #crowded = 0;
  /** How many were ever opened. */
  openedInAll = 0;
  /** Acknowledgements that came too late. */
  lateAcks = 0;

  constructor(workspace: Workspace, ackWithinMs: () => number, random: () => number, problem: (text: string) => void) {
    this.#workspace = workspace;
    this.#ackWithinMs = ackWithinMs;
    this.#random = random;
    this.#problem = problem;
  }

  listen(http: Server): void {
    http.on('upgrade', (req, socket, head) => this.#upgrade(req, socket, head));
  }

  /** For `apps.connections.open`: an address that works once. */
  ticket(base: string): string {
    const ticket = randomUUID();
    this.#tickets.add(ticket);
    return `${base.replace('http', 'ws')}/link/?ticket=${ticket}&app_id=${this.#workspace.appId}`;
  }

  get open(): number {
    return this.#connections.length;
  }

  #upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(req.url ?? '/', 'http://localhost');
    const ticket = url.searchParams.get('ticket') ?? '';
    if (url.pathname !== '/link/' || !this.#tickets.delete(ticket) || this.#connections.length >= mostConnections) {
      socket.end('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(req, socket, head, (ws) => this.#connected(ws));
  }

  /** The next so many connections are told that they are too many, in place of a hello. */
  crowd(count: number): void {
    this.#crowded = count;
  }

  #connected(socket: WebSocket): void {
    if (this.#crowded > 0) {
      this.#crowded -= 1;
      socket.send(JSON.stringify({ type: 'disconnect', reason: 'too_many_websockets' satisfies DisconnectReason }));
      return;
    }
    const connection: Connection = { id: randomUUID(), socket, leaving: false, waiting: new Map() };
    this.#connections.push(connection);
    this.openedInAll += 1;
    const pings = setInterval(() => socket.ping(`Ping from ${connection.id}`), 5000).unref();
    socket.on('message', (data) => this.#received(connection, textOf(data)));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      clearInterval(pings);
      const at = this.#connections.indexOf(connection);
      if (at >= 0) this.#connections.splice(at, 1);
      for (const done of connection.waiting.values()) done({ kind: 'connection lost' });
      connection.waiting.clear();
    });
    const hello = {
      type: 'hello',
      num_connections: this.#connections.length,
      debug_info: { host: 'applink-1', build_number: 1, approximate_connection_time: 18_060 },
      connection_info: { app_id: this.#workspace.appId },
    };
    socket.send(JSON.stringify(hello), () => {
      for (const opened of this.#opened.splice(0)) opened();
    });
  }

  #received(connection: Connection, text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      this.#problem(`a socket sent no JSON: ${text}`);
      return;
    }
    const read = acknowledgement.safeParse(message);
    if (!read.success) {
      this.#problem(`a socket sent what is no acknowledgement: ${text}`);
      return;
    }
    const id = read.data.envelope_id;
    const done = connection.waiting.get(id);
    if (!done) {
      if (this.#late.delete(id)) this.lateAcks += 1;
      else this.#problem(`acknowledged over the wrong connection, twice, or never sent: ${id}`);
      return;
    }
    connection.waiting.delete(id);
    done({ kind: 'acknowledged', response: read.data.payload, ms: 0 });
  }

  #takers(): Connection[] {
    return this.#connections.filter((one) => !one.leaving && one.socket.readyState === one.socket.OPEN);
  }

  deliver(envelope: Envelope, retry: Retry | undefined): Promise<Attempt> {
    const open = this.#takers();
    const connection = open[Math.floor(this.#random() * open.length)];
    if (!connection) return Promise.resolve({ kind: 'no connection' });
    const id = randomUUID();
    const started = performance.now();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        connection.waiting.delete(id);
        this.#late.add(id);
        resolve({ kind: 'timed out' });
      }, this.#ackWithinMs());
      connection.waiting.set(id, (attempt) => {
        clearTimeout(timer);
        resolve(attempt.kind === 'acknowledged' ? { ...attempt, ms: performance.now() - started } : attempt);
      });
      connection.socket.send(
        JSON.stringify({
          envelope_id: id,
          payload: envelope.payload,
          type: envelope.type,
          accepts_response_payload: envelope.type !== 'events_api',
          ...(envelope.type === 'events_api'
            ? { retry_attempt: retry?.number ?? 0, retry_reason: retry?.reason ?? '' }
            : {}),
        }),
      );
    });
  }

  ready(): Promise<void> {
    if (this.#takers().length > 0) return Promise.resolve();
    return new Promise((resolve) => this.#opened.push(resolve));
  }

  /**
   * Tells connections to go, as Slack does some seconds before it ends them (`warning`), at once (`refresh_requested`) or because
   * Socket Mode was switched off (`link_disabled`). Returns how many were told. The server ends them itself after `graceMs`.
   */
  disconnect(reason: DisconnectReason, options: { count?: number; graceMs?: number } = {}): number {
    const told = this.#connections.filter((one) => !one.leaving).slice(0, options.count ?? this.#connections.length);
    for (const connection of told) {
      if (reason !== 'warning') connection.leaving = true;
      connection.socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'applink-1' } }));
      setTimeout(() => connection.socket.close(), options.graceMs ?? 10_000).unref();
    }
    return told.length;
  }

  /** Breaks connections without a word. */
  cut(count = this.#connections.length): number {
    const cut = this.#connections.slice(0, count);
    for (const connection of cut) connection.socket.terminate();
    return cut.length;
  }

  /** Sends anything to all connections, for what Slack never sends. */
  raw(text: string): void {
    for (const connection of this.#connections) connection.socket.send(text);
  }

  close(): void {
    this.cut();
    this.#server.close();
    for (const opened of this.#opened.splice(0)) opened();
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
