/** The answer to one request of a program: a status, decided by the first thing that is said, and a stream of lines. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ApiEvent, type ApiFormat, type ApiOutcome, lineWriter } from './api-events.ts';
import type { ErrorCode } from './errors.ts';

/** More than this is not kept for a client that does not read. */
const UNREAD_BYTES = 4 * 1024 * 1024;
/** How long what still comes of a request that is refused is thrown away, before the connection is ended. */
const LINGER_MS = 2_000;

/** Those that say whose fault it is; everything else that a command answers with is 422. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  'api.unauthorized': 401,
  'access.inactive': 401,
  'token.denied': 403,
  'token.people': 403,
  'access.denied': 403,
  'access.outside': 403,
  'api.request': 404,
  'command.unknown': 404,
  'api.method': 405,
  'command.repeated': 409,
  'api.confirm': 409,
  'api.key': 409,
  'api.body': 400,
  'command.incomplete': 400,
  'command.excess': 400,
  'command.value': 400,
  'command.flag': 400,
  'command.long': 413,
  'api.attempts': 429,
  'api.busy': 429,
  'command.rate': 429,
  internal: 500,
  'api.stopping': 503,
  'access.unavailable': 503,
  'storage.unavailable': 503,
};

/** One answer: its status is decided by the first thing that it says. */
export interface Answer {
  readonly signal: AbortSignal;
  send(event: ApiEvent): void;
  end(event: Extract<ApiEvent, { type: 'end' }>): void;
}

/** Counts for /metrics. */
export interface AnswerMetrics {
  /** An answer has begun. */
  opened(): void;
  /** It has ended. `lost`: its client went away before. */
  closed(outcome: ApiOutcome | 'lost', status: number): void;
}

/** @param stopping aborted when the robot stops: whoever follows for this answer ends then, too */
export function createAnswer(
  response: ServerResponse,
  format: ApiFormat,
  metrics: AnswerMetrics,
  stopping: AbortSignal,
): Answer {
  const write = lineWriter(format);
  const gone = new AbortController();
  let outcome: ApiOutcome | undefined;
  metrics.opened();
  response.once('close', () => {
    gone.abort();
    metrics.closed(outcome ?? 'lost', response.statusCode);
  });
  // A client that goes away must not end the process.
  response.on('error', () => gone.abort());
  function send(event: ApiEvent): void {
    if (gone.signal.aborted || response.writableEnded) return;
    if (!response.headersSent) {
      response.writeHead(event.type === 'error' ? statusOf(event.code) : 200, {
        'Content-Type': `${format === 'jsonl' ? 'application/jsonl' : 'text/plain'}; charset=utf-8`,
        'Cache-Control': 'no-store',
        'X-Accel-Buffering': 'no',
      });
    }
    const lines = write(event);
    if (lines !== '') response.write(lines);
    if (response.writableLength > UNREAD_BYTES) response.destroy();
  }
  return {
    signal: AbortSignal.any([gone.signal, stopping]),
    send,
    end(event) {
      if (!gone.signal.aborted) ({ outcome } = event);
      send(event);
      response.end();
    },
  };
}

function statusOf(code: string): number {
  const found = Object.entries(STATUS).find(([name]) => name === code);
  return found?.[1] ?? 422;
}

/** Throws away what still comes, for a moment: who is still sending would not read the answer. */
export async function unread(request: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, LINGER_MS);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    request.once('end', end).once('close', end).resume();
  });
}
