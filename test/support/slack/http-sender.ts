/** Signed requests, as docs.slack.dev/authentication/verifying-requests-from-slack describes them, and ones that are not right. */

import { createHmac } from 'node:crypto';
import { connect } from 'node:net';

export interface SignedRequest {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type Flaw =
  | 'wrong secret'
  | 'wrong signature'
  | 'wrong version'
  | 'altered body'
  | 'old'
  | 'future'
  | 'truncated'
  | 'unsigned'
  | 'no timestamp';

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

function signature(secret: string, timestamp: number, body: string): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
}

/** A request as Slack would send it; with `flaw` one that must be refused. `seconds`: now. */
export function signedRequest(options: {
  url: string;
  body: string;
  contentType: string;
  secret: string;
  seconds: number;
  flaw?: Flaw;
  headers?: Readonly<Record<string, string>>;
}): SignedRequest {
  const { flaw } = options;
  const timestamp =
    flaw === 'old' ? options.seconds - 301 : flaw === 'future' ? options.seconds + 301 : options.seconds;
  const right = signature(flaw === 'wrong secret' ? `${options.secret}x` : options.secret, timestamp, options.body);
  const signed =
    flaw === 'wrong signature'
      ? right.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
      : flaw === 'wrong version'
        ? right.replace('v0=', 'v1=')
        : right;
  const body =
    flaw === 'altered body'
      ? options.body.replace(/.$/, ' $&')
      : flaw === 'truncated'
        ? options.body.slice(0, Math.floor(options.body.length / 2))
        : options.body;
  return {
    url: options.url,
    body,
    headers: {
      'content-type': options.contentType,
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      ...(flaw === 'unsigned' ? {} : { 'x-slack-signature': signed }),
      ...(flaw === 'unsigned' || flaw === 'no timestamp' ? {} : { 'x-slack-request-timestamp': String(timestamp) }),
      ...options.headers,
    },
  };
}

/** Sends it; throws as `fetch` does if there is no answer in time. */
export async function send(request: SignedRequest, timeoutMs: number): Promise<HttpAnswer & { noRetry: boolean }> {
  const response = await fetch(request.url, {
    method: 'POST',
    headers: { ...request.headers },
    body: request.body,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  return { status: response.status, text, noRetry: response.headers.get('x-slack-no-retry') === '1' };
}

/** Announces the whole body, sends half of it and breaks the connection. Resolves once that is done. */
export function sendHalf(request: SignedRequest): Promise<void> {
  const url = new URL(request.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => {
      const head = [
        `POST ${url.pathname} HTTP/1.1`,
        `host: ${url.host}`,
        ...Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`),
        `content-length: ${Buffer.byteLength(request.body)}`,
      ].join('\r\n');
      const half = Buffer.from(request.body).subarray(0, Math.floor(Buffer.byteLength(request.body) / 2));
      socket.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), half]), () => {
        socket.destroy();
        resolve();
      });
    });
    socket.once('error', reject);
  });
}
