/** A browser without a page: real HTTP and a real WebSocket against the web chat. */

import { type IncomingHttpHeaders, request } from 'node:http';
import { WebSocket } from 'ws';
import type { Answer, ServerFrame, WireMessage } from '../../src/adapters/chat/web/protocol.ts';
import { eventually } from './eventually.ts';
import type { Web } from './web.ts';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One HTTP request with exactly these headers; `Host` may be anything. */
export function http(
  web: Pick<Web, 'port'>,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: web.port,
        path,
        method: options.method ?? 'GET',
        headers: options.headers,
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}

/** Opens a link and returns the session cookie; undefined if none was given. */
export async function openLink(web: Pick<Web, 'port'>, link: string): Promise<string | undefined> {
  const { pathname, search } = new URL(link);
  const reply = await http(web, pathname + search);
  return reply.headers['set-cookie']?.[0]?.split(';')[0];
}

export async function enter(
  web: Pick<Web, 'url' | 'port'>,
  cookie: string,
  name: string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return await http(web, '/web/enter', {
    method: 'POST',
    headers: { cookie, origin: web.url, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ name }),
  });
}

/** Comes in by the link of the machine, with a name. */
export async function comeIn(web: Pick<Web, 'url' | 'port' | 'link'>, name: string): Promise<string> {
  const cookie = await openLink(web, web.link);
  if (cookie === undefined) throw new Error('the link gave no session');
  const entered = await enter(web, cookie, name);
  if (entered.status !== 200) throw new Error(`${name} could not enter: ${entered.body}`);
  return cookie;
}

export class Client {
  readonly frames: ServerFrame[] = [];
  readonly ws: WebSocket;
  closed: number | undefined;
  /** Status with which the server refused the WebSocket. */
  refused: number | undefined;
  #next = 1;

  constructor(web: Pick<Web, 'url'>, headers: Record<string, string>) {
    this.ws = new WebSocket(`${web.url.replace('http', 'ws')}/web/socket`, { headers });
    this.ws.on('message', (data) => {
      if (Buffer.isBuffer(data)) this.frames.push(JSON.parse(data.toString('utf8')));
    });
    this.ws.on('unexpected-response', (_request, response) => {
      this.refused = response.statusCode ?? 0;
      response.resume();
    });
    this.ws.on('close', (code) => {
      this.closed = code;
    });
    this.ws.on('error', () => undefined);
  }

  send(frame: object): void {
    this.ws.send(JSON.stringify(frame));
  }

  /** The first frame of that kind that fits, now or later. */
  async frame<T extends ServerFrame['t']>(
    t: T,
    fits: (frame: Extract<ServerFrame, { t: T }>) => boolean = () => true,
  ): Promise<Extract<ServerFrame, { t: T }>> {
    const is = (frame: ServerFrame): frame is Extract<ServerFrame, { t: T }> => frame.t === t;
    const found = await eventually(() => this.frames.filter(is).find(fits));
    if (!found) throw new Error(`no frame ${t}`);
    return found;
  }

  async message(text: string): Promise<WireMessage> {
    return (await this.frame('message', ({ message }) => JSON.stringify(message).includes(text))).message;
  }

  /** Asks and returns the answer; throws with the text of the problem. */
  async ask<K extends Answer['kind']>(frame: object, kind: K): Promise<Extract<Answer, { kind: K }>> {
    const req = this.#next++;
    this.send({ ...frame, req });
    const got = await eventually(() =>
      this.frames.find((one) => (one.t === 'answer' || one.t === 'failed') && one.req === req),
    );
    if (got?.t === 'failed') throw new Error(got.problem.text);
    const is = (answer: Answer): answer is Extract<Answer, { kind: K }> => answer.kind === kind;
    if (got?.t !== 'answer' || !is(got.answer)) throw new Error(`no answer ${kind}`);
    return got.answer;
  }

  async say(room: string, text: string, thread?: number): Promise<number> {
    const id = newId();
    this.send({ t: 'say', id, room, text, ...(thread !== undefined && { thread }) });
    const got = await eventually(() =>
      this.frames.find((one) => (one.t === 'ack' || one.t === 'refused') && one.id === id),
    );
    if (got?.t !== 'ack') throw new Error(got?.t === 'refused' ? got.problem.text : 'not acknowledged');
    return got.message;
  }

  async close(): Promise<void> {
    this.ws.close();
    await eventually(() => this.closed !== undefined);
  }
}

let ids = 0;
export function newId(): string {
  return `client-id-${++ids}`;
}

/** A connected person. */
export async function connect(web: Pick<Web, 'url'>, cookie: string): Promise<Client> {
  const client = new Client(web, { cookie, origin: web.url });
  await client.frame('welcome');
  return client;
}

export async function person(web: Web, name: string): Promise<Client> {
  return await connect(web, await comeIn(web, name));
}
