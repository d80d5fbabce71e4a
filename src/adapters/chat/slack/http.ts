/**
 * Slack's signed requests: `POST /slack/events`, `/slack/interactions`, `/slack/commands`. Apps made for Bolt's own receiver have everything sent
 * to `/slack/events` (https://docs.slack.dev/tools/bolt-js/reference, `endpoints`), so that address takes everything.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Router } from 'express';
import { readBody } from '../../../bot/hook-body.ts';
import { answerJson } from '../../../bot/json-answer.ts';
import type { Logger } from '../../../bot/log.ts';
import type { SlackMetrics } from '../../../bot/metrics.ts';
import { formKind, readBodyOf, teamsOf } from './form-body.ts';
import type { Intake } from './intake.ts';
import type { JsonObject } from './json.ts';
import type { Envelope } from './ports.ts';
import { bare } from './refusal.ts';
import { createSeen, isSignedBy, type Signed, signatureOf } from './signature.ts';

/** A workspace that is reached by HTTP. */
export interface Door {
  readonly chat: string;
  readonly signingSecret: string;
  /** Undefined until it is known. */
  readonly teamId: () => string | undefined;
  readonly intake: Pick<Intake, 'take'>;
}

export interface DoorOptions {
  readonly log: Logger;
  readonly metrics: Pick<SlackMetrics, 'received'>;
  readonly now: () => Date;
  /** Largest body in bytes. */
  readonly limitBytes?: number;
  /** For how long a body may take to arrive. */
  readonly readTimeoutMs?: number;
}

/** Why a request is not taken. What it says to the sender is the same for everything about the signature. */
type Refusal =
  | 'method'
  | 'content_type'
  | 'unsigned'
  | 'old'
  | 'wrong_signature'
  | 'replayed'
  | 'too_large'
  | 'slow'
  | 'aborted'
  | 'busy'
  | 'malformed'
  | 'unknown_workspace'
  | 'unavailable';

const KINDS = { '/slack/events': 'event', '/slack/interactions': 'interactive', '/slack/commands': 'command' } as const;
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const LIMIT_BYTES = 1024 * 1024;
const READ_MS = 5_000;
/** Bodies that are read at a time, before anybody knows whose they are. */
const MOST_READ = 64;
/** Slack sends a body at once. One that takes longer makes place for another, or a few slow senders would keep Slack out. */
const AT_ONCE_MS = 100;
/** Time to read the answer for a sender that is still sending. */
const LINGER_MS = 1_000;
/** Lines about refused requests in a minute. */
const MOST_LINES = 10;

const STATUS: Readonly<Record<Refusal, number>> = {
  method: 405,
  content_type: 415,
  unsigned: 401,
  old: 401,
  wrong_signature: 401,
  replayed: 401,
  too_large: 413,
  slow: 408,
  aborted: 400,
  busy: 503,
  malformed: 400,
  unknown_workspace: 404,
  unavailable: 503,
};

/** Several workspaces share the addresses of one server. */
const opened = new WeakMap<Router, Set<Door>>();

/** Lets requests of a workspace in. Returns what closes the door again. */
export function openDoor(router: Router, door: Door, options: DoorOptions): () => void {
  let doors = opened.get(router);
  if (!doors) {
    doors = new Set();
    opened.set(router, doors);
    const receive = createReceiver(doors, options);
    for (const [path, kind] of Object.entries(KINDS)) {
      router.all(path, (request, response) => void receive(kind, request, response));
    }
  }
  const all = doors.add(door);
  return () => void all.delete(door);
}

function createReceiver(doors: ReadonlySet<Door>, options: DoorOptions) {
  const { log, metrics, now } = options;
  const limitBytes = options.limitBytes ?? LIMIT_BYTES;
  const readMs = options.readTimeoutMs ?? READ_MS;
  const seen = createSeen(now);
  const talk = sparing(now);
  const reading = new Map<IncomingMessage, number>();

  async function receive(address: Envelope['kind'], request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const refusal = await accept(address, request, response);
      if (refusal !== undefined) refuse(refusal, request, response);
    } catch (error) {
      log.error({ err: bare(error) }, 'Slack request failed');
      refuse('unavailable', request, response);
    }
  }

  /** Undefined if it was answered. */
  async function accept(
    address: Envelope['kind'],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Refusal | undefined> {
    if (doors.size === 0) return 'unknown_workspace';
    if (request.method !== 'POST') return 'method';
    const isForm = isType(request, FORM_TYPE);
    if (!isForm && !(address === 'event' && isType(request, JSON_TYPE))) return 'content_type';
    const signed = signatureOf(request.headers, now());
    if (signed.kind !== 'signed') return signed.kind;
    if (!makePlace()) return 'busy';
    reading.set(request, performance.now());
    const read = await readBody(request, limitBytes, readMs).finally(() => reading.delete(request));
    if (read.kind === 'too-large') return 'too_large';
    if (read.kind === 'slow') return 'slow';
    if (read.kind === 'gone') return 'aborted';
    const signers = signersOf(signed, read.body);
    if (signers.length === 0) return 'wrong_signature';
    const kind = address === 'event' && isForm ? formKind(read.body) : address;
    const body = readBodyOf(kind, read.body);
    if (!body) return 'malformed';
    if (kind === 'event' && body['type'] === 'url_verification') return verified(body, response);
    // https://docs.slack.dev/interactivity/implementing-slash-commands#validating-the-command
    if (body['ssl_check'] !== undefined) return empty(response);
    const teams = teamsOf(body);
    const door =
      signers.length === 1 ? signers[0] : signers.find((each) => teams.includes(each.teamId() ?? 'not known yet'));
    if (!door) return 'unknown_workspace';
    // Slack signs each retry anew; one within the same second looks like the request before.
    const isRetry = kind === 'event' && request.headers['x-slack-retry-num'] !== undefined;
    if (seen.before(signed.signature) && !isRetry) return 'replayed';
    return await pass(door, { kind, body, via: 'http' }, signed, response);
  }

  /** False if all that is being read has only just begun. */
  function makePlace(): boolean {
    if (reading.size < MOST_READ) return true;
    const [oldest] = reading;
    if (!oldest || performance.now() - oldest[1] < AT_ONCE_MS) return false;
    const [request] = oldest;
    reading.delete(request);
    request.destroy();
    return true;
  }

  async function pass(
    door: Door,
    envelope: Envelope,
    signed: Extract<Signed, { kind: 'signed' }>,
    response: ServerResponse,
  ): Promise<undefined> {
    const outcome = await door.intake.take(envelope, (answer) => acknowledge(response, answer));
    if (outcome === 'unavailable') seen.forget(signed.signature);
    // Counted by the intake.
    if (response.writableEnded) return;
    if (outcome === 'replayed') answerRefusal('replayed', response);
    else answerRefusal('unavailable', response);
  }

  /** Of every secret once, whichever fits: the time says nothing. */
  function signersOf(signed: Extract<Signed, { kind: 'signed' }>, body: Buffer): Door[] {
    const fits = new Map<string, boolean>();
    for (const { signingSecret } of doors) {
      if (!fits.has(signingSecret)) fits.set(signingSecret, isSignedBy(signingSecret, signed, body));
    }
    return [...doors].filter((door) => fits.get(door.signingSecret));
  }

  function verified(body: JsonObject, response: ServerResponse): Refusal | undefined {
    const { challenge } = body;
    if (typeof challenge !== 'string') return 'malformed';
    metrics.received('http', 'verification');
    answerJson(response, 200, { challenge });
    return undefined;
  }

  function empty(response: ServerResponse): undefined {
    metrics.received('http', 'verification');
    acknowledge(response, undefined);
  }

  function refuse(refusal: Refusal, request: IncomingMessage, response: ServerResponse): void {
    metrics.received('http', refusal);
    if (talk()) log.warn({ reason: refusal, from: request.socket.remoteAddress }, 'Slack request refused');
    if (refusal === 'aborted' || response.headersSent) return void response.destroy();
    answerRefusal(refusal, response);
    if (request.complete) return;
    // A connection that is closed while the sender sends is reset, and the answer is lost on the way.
    request.resume();
    setTimeout(() => request.socket.destroy(), LINGER_MS).unref();
  }

  return receive;
}

function answerRefusal(refusal: Refusal, response: ServerResponse): void {
  const status = STATUS[refusal];
  if (status === 405) response.setHeader('Allow', 'POST');
  if (status === 503) response.setHeader('Retry-After', '5');
  if (status === 413 || status === 408) response.setHeader('Connection', 'close');
  // No later attempt would do better. https://docs.slack.dev/apis/events-api/#retries
  if (status === 404 || refusal === 'replayed') response.setHeader('X-Slack-No-Retry', '1');
  answerJson(response, status, { error: status === 503 ? 'not now' : 'not accepted' });
}

function acknowledge(response: ServerResponse, answer: unknown): void {
  if (response.writableEnded) return;
  if (answer === undefined || answer === '') {
    response.writeHead(200, { 'Content-Length': '0', 'Cache-Control': 'no-store' });
    response.end();
  } else if (typeof answer === 'string') answerJson(response, 200, { text: answer });
  else if (typeof answer === 'object' && answer !== null) answerJson(response, 200, answer);
  else response.writeHead(200).end();
}

function isType(request: IncomingMessage, wanted: string): boolean {
  const encoding = request.headers['content-encoding'];
  const [type] = (request.headers['content-type'] ?? '').toLowerCase().split(';');
  return type?.trim() === wanted && (encoding === undefined || encoding === 'identity');
}

/** True for the first lines of each minute. */
function sparing(now: () => Date): () => boolean {
  let since = 0;
  let lines = 0;
  return () => {
    const at = now().getTime();
    if (at - since >= 60_000) {
      since = at;
      lines = 0;
    }
    lines++;
    return lines <= MOST_LINES;
  };
}
