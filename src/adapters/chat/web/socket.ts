/** WebSockets: who may open one, how much may come in, what becomes of those that are too slow. */

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../../bot/log.ts';
import { refuseForeignPage } from './gate.ts';
import type { Browser, Hub } from './hub.ts';
import { createLimit } from './limit.ts';
import type { Account, WebStore } from './ports.ts';
import { problems } from './problems.ts';
import { MAX_FRAME, parseFrame } from './schema.ts';
import { sessionOf } from './session.ts';
import { refuseFrame, type Talk, type Talker } from './talk.ts';

/** More than so many bytes waiting for a browser: it is cut off, and fetches what it missed when it is back. */
const QUEUE_LIMIT = 4 * 1024 * 1024;
const FRAMES_WAITING = 200;
const MALFORMED_ALLOWED = 5;
const PING_EVERY_MS = 25_000;
const PINGS_PER_SESSION_CHECK = 8;
const SOCKETS_PER_PERSON = 30;

export interface SocketParts {
  readonly store: WebStore;
  readonly hub: Hub;
  readonly talk: Talk;
  readonly log: Logger;
  readonly now: () => Date;
  readonly publicUrl: string | undefined;
}

export interface Sockets {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Lets nobody in any more. */
  stop(): void;
  /** Ends what is still open. */
  close(): void;
}

export function createSockets(parts: SocketParts): Sockets {
  const { store, hub, talk, log, now } = parts;
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME, perMessageDeflate: false });
  const frames = createLimit(80, 20);
  // However many pages somebody opens: one person must not keep the database busy for all.
  const framesOfOne = createLimit(240, 40);
  const spoken = createLimit(20, 2);
  const open = new Map<number, number>();
  let sockets = 0;
  let closing = false;

  async function admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (closing) return refuse(socket, '503 Service Unavailable');
    if (refuseForeignPage(request, parts.publicUrl) !== undefined) return refuse(socket, '403 Forbidden');
    const signed = await sessionOf(request, parts);
    const account = signed?.session.account;
    if (!signed || !account) return refuse(socket, '401 Unauthorized');
    if ((open.get(account.id) ?? 0) >= SOCKETS_PER_PERSON) return refuse(socket, '429 Too Many Requests');
    const { hash } = signed;
    if (!socket.destroyed && !closing) server.handleUpgrade(request, socket, head, (ws) => serve(ws, account, hash));
  }

  function serve(ws: WebSocket, account: Account, session: string): void {
    const key = `socket ${++sockets}`;
    const talker: Talker = {
      account,
      watch: (room) => {
        browser.watching = room;
      },
      send: (frame) => browser.send(JSON.stringify(frame)),
    };
    const browser: Browser = {
      account: account.id,
      session,
      watching: undefined,
      send(text) {
        if (ws.readyState !== ws.OPEN) return;
        if (ws.bufferedAmount > QUEUE_LIMIT) {
          log.warn({ person: account.id, bytes: ws.bufferedAmount }, 'web chat browser too slow');
          ws.terminate();
          return;
        }
        ws.send(text);
      },
      end: (code, reason) => ws.close(code, reason),
    };
    let malformed = 0;
    let waiting = 0;
    let alive = true;
    let pings = 0;
    // One after the other: what a person says is stored in the order in which it was said.
    let queue: Promise<void> = talk.welcome(talker).catch((error: unknown) => {
      log.error({ err: error, person: account.id }, 'web chat welcome failed');
      ws.close(1011, 'failed');
    });

    async function beat(): Promise<void> {
      if (!alive) return ws.terminate();
      alive = false;
      ws.ping();
      pings += 1;
      if (pings % PINGS_PER_SESSION_CHECK !== 0) return;
      if (!(await store.session(session, now()))?.account) ws.close(4001, 'signed out');
    }
    const timer = setInterval(() => {
      beat().catch((error: unknown) => log.warn({ err: error }, 'web chat session check failed'));
    }, PING_EVERY_MS);
    timer.unref();

    function take(data: RawData, binary: boolean): void {
      if (binary) return ws.close(1003, 'text only');
      const parsed = parseFrame(textOf(data));
      const time = now().getTime();
      if (parsed.kind === 'malformed') {
        const problem = parsed.tooLong ? problems.tooLong : problems.malformed;
        refuseFrame(talker, parsed, problem);
        malformed += parsed.tooLong ? 0 : 1;
        if (malformed > MALFORMED_ALLOWED) ws.close(1008, 'malformed');
        return;
      }
      const { frame } = parsed;
      const speaking = frame.t === 'say' || frame.t === 'press';
      const asked = frames.allow(key, time) && framesOfOne.allow(`person ${account.id}`, time);
      const allowed = asked && (!speaking || spoken.allow(`person ${account.id}`, time));
      if (!allowed) {
        refuseFrame(talker, frame, problems.tooFast);
        return;
      }
      waiting += 1;
      if (waiting > FRAMES_WAITING) return ws.close(1008, 'too much at once');
      queue = queue
        .then(() => talk.take(talker, frame))
        .finally(() => {
          waiting -= 1;
        });
    }

    open.set(account.id, (open.get(account.id) ?? 0) + 1);
    ws.on('message', take);
    ws.on('pong', () => {
      alive = true;
    });
    ws.on('error', (error) => log.debug({ err: error, person: account.id }, 'web chat socket failed'));
    ws.on('close', () => {
      clearInterval(timer);
      hub.remove(browser);
      const left = (open.get(account.id) ?? 1) - 1;
      if (left > 0) open.set(account.id, left);
      else open.delete(account.id);
    });
    hub.add(browser);
  }

  return {
    upgrade(request, socket, head) {
      admit(request, socket, head).catch((error: unknown) => {
        log.error({ err: error }, 'web chat upgrade failed');
        refuse(socket, '503 Service Unavailable');
      });
    },
    stop() {
      closing = true;
    },
    close() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}
