/** A model behind an OpenAI-compatible server: chat completions, streamed. */

import type { Model, ModelMessage, ModelOutcome, ModelTrouble } from '../../../domain/ask/ports.ts';
import { apiError, chunk } from './schema.ts';

export interface OpenAiOptions {
  /** OPENAI_API_KEY. A server of one's own may do without. */
  readonly apiKey?: string | undefined;
  /** OPENAI_BASE_URL, for example `http://127.0.0.1:11434/v1`; nothing: OpenAI. */
  readonly baseUrl?: string | undefined;
  /** OPENAI_MODEL. */
  readonly model: string;
  /** Longest wait for the first words and between two pieces, in milliseconds; 30 s unless said otherwise (a local model may have to load). */
  readonly silenceMs?: number;
  /** Longest time for the whole answer, in milliseconds; two minutes unless said otherwise. */
  readonly totalMs?: number;
  /** Longest answer in tokens; 1,200 unless said otherwise. */
  readonly maxTokens?: number;
}

/** Waiting this long for a busy server is fine; longer, and the person gets the passages instead. */
const PATIENCE_SECONDS = 3;
/** In characters; whoever streams more than this has lost the thread. */
const LONGEST_ANSWER = 16 * 1024;

type Failed = Extract<ModelOutcome, { kind: 'failed' }>;

/** Makes the model. The SDK is imported when it is first asked. */
export function createOpenAiModel(options: OpenAiOptions): Model {
  let client: Promise<import('openai').OpenAI> | undefined;

  async function connect(): Promise<import('openai').OpenAI> {
    const { OpenAI } = await import('openai');
    return new OpenAI({
      apiKey: options.apiKey ?? 'none',
      baseURL: options.baseUrl ?? 'https://api.openai.com/v1',
      // What the SDK would otherwise read from the environment by itself.
      organization: null,
      project: null,
      logLevel: 'off',
      maxRetries: 0,
      timeout: options.totalMs ?? 120_000,
    });
  }

  async function once(
    messages: readonly ModelMessage[],
    {
      signal,
      onText,
    }: { readonly signal?: AbortSignal | undefined; readonly onText?: ((text: string) => void) | undefined },
  ): Promise<ModelOutcome> {
    const watch = watchdog(options.silenceMs ?? 30_000, options.totalMs ?? 120_000, signal);
    let text = '';
    let refusal = '';
    let finish: string | undefined;
    let tokens: { sent: number; received: number } | undefined;
    try {
      client ??= connect();
      const { chat } = await client;
      const stream = await chat.completions.create(
        {
          model: options.model,
          messages: messages.map(({ role, content }) => ({ role, content })),
          stream: true,
          stream_options: { include_usage: true },
          max_completion_tokens: options.maxTokens ?? 1_200,
        },
        { signal: watch.signal },
      );
      for await (const raw of stream) {
        watch.heard();
        const piece = chunk.safeParse(raw);
        if (!piece.success) return failed('malformed', 'a piece of the stream is not a chat completion');
        const { usage, choices } = piece.data;
        if (usage) tokens = { sent: usage.prompt_tokens, received: usage.completion_tokens };
        const [choice] = choices ?? [];
        refusal += choice?.delta?.refusal ?? '';
        if (choice?.delta?.content) {
          text += choice.delta.content;
          if (text.length > LONGEST_ANSWER) {
            watch.stop();
            return { kind: 'answer', text: text.slice(0, LONGEST_ANSWER), truncated: true };
          }
          onText?.(text);
        }
        finish = choice?.finish_reason ?? finish;
      }
    } catch (error) {
      return watch.reason ? failed(watch.reason, 'stopped by us') : outcomeOf(error, text);
    } finally {
      watch.end();
    }
    // The SDK ends an aborted stream without an error.
    if (watch.reason) return failed(watch.reason, 'stopped by us');
    if (finish === 'content_filter' || (refusal !== '' && text === ''))
      return failed('refused', refusal || 'content filter');
    if (finish === undefined) return failed(text === '' ? 'empty' : 'cut', 'the stream ended without a finish reason');
    if (text.trim() === '') return failed('empty', `no text; finish reason ${finish}`);
    return { kind: 'answer', text, truncated: finish === 'length', ...(tokens ? { tokens } : {}) };
  }

  return {
    name: options.model,
    async complete(messages, how) {
      let said = false;
      const outcome = await once(messages, {
        signal: how.signal,
        onText: (text) => {
          said = true;
          how.onText?.(text);
        },
      });
      if (outcome.kind === 'answer' || said || how.signal?.aborted || !worthAnotherTry(outcome)) return outcome;
      await pause((outcome.retryAfterSeconds ?? 0.3) * 1_000, how.signal);
      return how.signal?.aborted ? failed('stopped', 'stopped while waiting') : await once(messages, how);
    },
  };
}

function worthAnotherTry({ trouble, retryAfterSeconds }: Failed): boolean {
  if (retryAfterSeconds !== undefined && retryAfterSeconds > PATIENCE_SECONDS) return false;
  return trouble === 'server' || (trouble === 'busy' && retryAfterSeconds !== undefined);
}

function failed(trouble: ModelTrouble, detail: string, retryAfterSeconds?: number): Failed {
  return {
    kind: 'failed',
    trouble,
    detail: detail.slice(0, 500),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

function outcomeOf(error: unknown, text: string): Failed {
  const { status, code, type, message, name, headers } = apiError.parse(
    error instanceof Error ? errorFields(error) : {},
  );
  const detail = [name, status, code ?? type, message].filter(Boolean).join(' ');
  const retry = retryAfter(headers);
  if (status === undefined) {
    if (error instanceof SyntaxError) return failed('malformed', detail);
    if (text !== '') return failed('cut', detail);
    return failed(/timeout/i.test(name) ? 'slow' : 'unreachable', detail);
  }
  if (status === 401 || status === 403) return failed('unauthorised', detail);
  if (status === 404) return failed('unknown-model', detail);
  if (status === 429) return failed('busy', detail, retry);
  const long =
    code === 'context_length_exceeded' ||
    /context (?:length|window|size)|too (?:long|many tokens)|maximum context/i.test(message);
  if (status === 413 || (status >= 400 && status < 500 && long)) return failed('too-long', detail);
  if (status === 408) return failed('slow', detail);
  return failed(status >= 500 ? 'server' : 'malformed', detail, retry);
}

function errorFields(error: Error): object {
  const { name, message } = error;
  return { ...error, name: error.constructor.name || name, message };
}

function retryAfter(headers: Headers | undefined): number | undefined {
  const seconds = Number(headers?.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 3_600) : undefined;
}

interface Watchdog {
  readonly signal: AbortSignal;
  /** Why it barked. */
  readonly reason: 'slow' | 'stopped' | undefined;
  heard(): void;
  stop(): void;
  end(): void;
}

/** Stops a stream that is silent or takes too long, or whose asker went away. */
function watchdog(silenceMs: number, totalMs: number, outer: AbortSignal | undefined): Watchdog {
  const controller = new AbortController();
  let reason: 'slow' | 'stopped' | undefined;
  const bark = (why: 'slow' | 'stopped'): void => {
    reason ??= why;
    controller.abort();
  };
  const total = setTimeout(() => bark('slow'), totalMs);
  const silence = setTimeout(() => bark('slow'), silenceMs);
  const stopped = (): void => bark('stopped');
  if (outer?.aborted) stopped();
  else outer?.addEventListener('abort', stopped, { once: true });
  return {
    signal: controller.signal,
    get reason() {
      return reason;
    },
    heard: () => {
      silence.refresh();
    },
    stop: () => controller.abort(),
    end: () => {
      clearTimeout(total);
      clearTimeout(silence);
      outer?.removeEventListener('abort', stopped);
    },
  };
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
}
