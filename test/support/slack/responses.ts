/** response_url: five posts within half an hour; docs.slack.dev/interactivity/handling-user-interaction#message_responses. */

import { randomUUID } from 'node:crypto';
import { checkedContents } from './chat-methods.ts';
import type { Context } from './method.ts';
import { type Response, response } from './schema.ts';
import { type Ephemeral, type Message, SlackError } from './workspace.ts';

interface Address {
  readonly channel: string;
  readonly user: string;
  readonly original: Message | Ephemeral | undefined;
  readonly threadTs: string | undefined;
  readonly expires: number;
  uses: number;
}

const mostUses = 5;
const livesMs = 30 * 60_000;

export class ResponseUrls {
  readonly #context: Context;
  readonly #known = new Map<string, Address>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** A new address for answers to what `user` did. */
  create(kind: 'actions' | 'commands', channel: string, user: string, original?: Message | Ephemeral): string {
    const path = `/${kind}/${this.#context.workspace.teamId}/${randomUUID()}`;
    this.#known.set(path, {
      channel,
      user,
      original,
      threadTs: original?.threadTs,
      expires: this.#context.workspace.now() + livesMs,
      uses: 0,
    });
    return this.#context.url() + path;
  }

  has(path: string): boolean {
    return path.startsWith('/actions/') || path.startsWith('/commands/');
  }

  /** Does what was posted there. */
  post(path: string, body: unknown): { status: number; body: unknown } {
    const known = this.#known.get(path);
    if (!known) return { status: 404, body: { ok: false, error: 'invalid_url' } };
    if (this.#context.workspace.now() > known.expires)
      return { status: 404, body: { ok: false, error: 'expired_url' } };
    if (known.uses >= mostUses) return { status: 404, body: { ok: false, error: 'used_url' } };
    const read = response.safeParse(body);
    if (!read.success) {
      this.#context.problem(
        `response_url: ${read.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')}`,
      );
      return { status: 400, body: { ok: false, error: 'invalid_payload' } };
    }
    try {
      this.respond(known, read.data, 'response_url');
      known.uses += 1;
      return { status: 200, body: { ok: true } };
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      return {
        status: error.code === 'invalid_blocks' ? 400 : 404,
        body: { ok: false, error: error.code, ...error.details },
      };
    }
  }

  /** What a slash command's acknowledgement says, or a post to a response_url. */
  respond(
    to: { channel: string; user: string; original?: Message | Ephemeral | undefined; threadTs?: string | undefined },
    sent: Response,
    by: Ephemeral['by'],
  ): void {
    const { workspace, events } = this.#context;
    if (sent.delete_original) {
      if (to.original) to.original.deleted = true;
      if (to.original && 'revision' in to.original) events.deleted(to.original);
      return;
    }
    const contents = checkedContents(this.#context, sent, 40_000);
    if (sent.replace_original && to.original) {
      if (!('revision' in to.original)) {
        Object.assign(to.original, contents);
        return;
      }
      const before = events.before(to.original);
      Object.assign(to.original, contents, { edited: { user: workspace.bot.id, ts: workspace.newTs() } });
      to.original.revision += 1;
      events.changed(to.original, before);
      return;
    }
    const threadTs = sent.thread_ts ?? to.threadTs;
    if (sent.response_type === 'in_channel') {
      const { bot } = workspace;
      events.posted(
        workspace.addMessage({
          channel: to.channel,
          user: bot.id,
          botId: bot.botId,
          ...contents,
          threadTs,
          args: sent,
        }),
      );
      return;
    }
    const ts = workspace.newTs();
    workspace.ephemerals.push({
      channel: to.channel,
      user: to.user,
      ts,
      threadTs,
      by,
      ...contents,
      deleted: false,
      state: {},
    });
  }
}
