/**
 * A server that speaks the documented chat completions API, for tests: each request takes the next prepared answer. A request
 * that nobody prepared is answered with 500 and reported by `finish`, and so is an answer that nobody asked for.
 */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { z } from 'zod';

const requestBody = z.object({
  model: z.string(),
  stream: z.literal(true),
  messages: z.array(z.object({ role: z.string(), content: z.string() })),
});

export interface SeenRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: z.infer<typeof requestBody>;
  /** Everything that was sent, as text. */
  readonly text: string;
}

/** What the server does with one request. */
export type Reply = (res: ServerResponse) => void | Promise<void>;

export interface ModelServer {
  /** With `/v1`. */
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  prepare(...replies: Reply[]): void;
  /** Throws if something was asked that nobody prepared, or prepared and never asked. */
  finish(): Promise<void>;
}

function piece(delta: object, finish: string | null = null): string {
  return `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'test',
    choices: [{ index: 0, delta, finish_reason: finish }],
  })}\n\n`;
}

function head(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
}

/** Streams a text in pieces and ends it as documented. */
export function says(text: string, finish = 'stop'): Reply {
  return (res) => {
    head(res);
    res.write(piece({ role: 'assistant', content: '' }));
    for (const part of text.match(/[\s\S]{1,12}/g) ?? []) res.write(piece({ content: part }));
    res.write(piece({}, finish));
    const usage = { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 };
    res.write(`data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', choices: [], usage })}\n\n`);
    res.end('data: [DONE]\n\n');
  };
}

/** Answers with an error as documented. */
export function refuses(
  status: number,
  code: string | null,
  headers: Record<string, string> = {},
): (res: ServerResponse) => void {
  return (res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers });
    res.end(JSON.stringify({ error: { message: `refused: ${code}`, type: 'test_error', param: null, code } }));
  };
}

/** Begins to stream and breaks the connection. */
export function breaksAfter(text: string): Reply {
  return (res) => {
    head(res);
    res.write(piece({ content: text }), () => res.destroy());
  };
}

/** Begins to stream and ends without saying why. */
export function endsAfter(text: string): Reply {
  return (res) => {
    head(res);
    res.end(text === '' ? '' : piece({ content: text }));
  };
}

/** Sends these bytes as the stream. */
export function sends(bytes: string): Reply {
  return (res) => {
    head(res);
    res.end(bytes);
  };
}

/** Accepts the request and stays silent until the other side gives up. */
export function staysSilent(text = ''): Reply {
  return (res) => {
    head(res);
    if (text === '') res.flushHeaders();
    else res.write(piece({ content: text }));
  };
}

export async function modelServer(): Promise<ModelServer> {
  const seen: SeenRequest[] = [];
  const replies: Reply[] = [];
  const unexpected: string[] = [];
  const server = createServer((req, res) => {
    let text = '';
    req.setEncoding('utf8');
    req.on('data', (data: string) => {
      text += data;
    });
    req.on('end', () => {
      const reply = replies.shift();
      const wanted = req.method === 'POST' && req.url === '/v1/chat/completions';
      const body = wanted ? requestBody.safeParse(JSON.parse(text)) : undefined;
      if (!wanted || reply === undefined || !body?.success) {
        unexpected.push(`${req.method} ${req.url} ${body?.error?.message ?? ''}`);
        refuses(500, 'unexpected')(res);
        return;
      }
      seen.push({ headers: req.headers, body: body.data, text });
      void reply(res);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    seen,
    prepare: (...more) => {
      replies.push(...more);
    },
    async finish() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      if (unexpected.length > 0) {
        throw new Error(
          `the model was asked without a prepared answer: ${unexpected.join('; ')}. Call prepare() first.`,
        );
      }
      if (replies.length > 0) throw new Error(`${replies.length} prepared answers were never asked for. Remove them.`);
    },
  };
}
