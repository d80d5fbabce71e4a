/** The Events API, interactivity and slash commands over signed HTTP; docs.slack.dev/apis/events-api/using-http-request-urls. */

import type { Attempt, Envelope, Retry, Way } from './delivery.ts';
import { type Flaw, type SignedRequest, send, signedRequest } from './http-sender.ts';
import type { Fields, Workspace } from './workspace.ts';

const paths = {
  events_api: '/slack/events',
  interactive: '/slack/interactions',
  slash_commands: '/slack/commands',
} as const;

export class HttpWay implements Way {
  readonly #workspace: Workspace;
  readonly #ackWithinMs: () => number;
  #base: string | undefined;
  #known: (() => void)[] = [];

  constructor(workspace: Workspace, ackWithinMs: () => number) {
    this.#workspace = workspace;
    this.#ackWithinMs = ackWithinMs;
  }

  /** Where the robot listens, like `http://127.0.0.1:8080`. */
  to(base: string): void {
    this.#base = base.replace(/\/$/, '');
    for (const known of this.#known.splice(0)) known();
  }

  ready(): Promise<void> {
    if (this.#base !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#known.push(resolve));
  }

  close(): void {
    for (const known of this.#known.splice(0)) known();
  }

  /** The request that would carry it. */
  request(
    type: Envelope['type'],
    payload: Fields,
    options: { flaw?: Flaw; headers?: Readonly<Record<string, string>> } = {},
  ): SignedRequest {
    if (this.#base === undefined) throw new Error('deliverTo() was not called');
    const form =
      type === 'interactive'
        ? { payload: JSON.stringify(payload) }
        : Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, String(value)]));
    return signedRequest({
      url: this.#base + paths[type],
      body: type === 'events_api' ? JSON.stringify(payload) : new URLSearchParams(form).toString(),
      contentType: type === 'events_api' ? 'application/json' : 'application/x-www-form-urlencoded',
      secret: this.#workspace.signingSecret,
      seconds: this.#workspace.seconds(),
      ...options,
    });
  }

  async deliver(envelope: Envelope, retry: Retry | undefined): Promise<Attempt> {
    if (this.#base === undefined) return { kind: 'no connection' };
    const reason = retry?.reason === 'timeout' ? 'http_timeout' : retry?.reason;
    const headers = retry ? { 'x-slack-retry-num': String(retry.number), 'x-slack-retry-reason': reason ?? '' } : {};
    const started = performance.now();
    try {
      const answer = await send(this.request(envelope.type, envelope.payload, { headers }), this.#ackWithinMs());
      if (answer.status < 200 || answer.status > 299) return { kind: 'refused', ...answer };
      return { kind: 'acknowledged', response: parsed(answer.text), ms: performance.now() - started };
    } catch (error) {
      const slow = error instanceof Error && error.name === 'TimeoutError';
      return slow ? { kind: 'timed out' } : { kind: 'refused', status: 0, text: String(error), noRetry: false };
    }
  }
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}
