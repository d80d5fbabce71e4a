import { expect } from 'chai';
import { createOpenAiModel, type OpenAiOptions } from '../../../src/adapters/ai/openai/client.ts';
import type { ModelOutcome } from '../../../src/domain/ask/ports.ts';
import {
  breaksAfter,
  endsAfter,
  type ModelServer,
  modelServer,
  type Reply,
  refuses,
  says,
  sends,
  staysSilent,
} from '../../support/openai.ts';

const messages = [
  { role: 'system', content: 'rules' },
  { role: 'user', content: 'question' },
] as const;

describe('OpenAI-compatible model', () => {
  let server: ModelServer;
  beforeEach(async () => {
    server = await modelServer();
  });
  afterEach(async () => {
    await server.finish();
  });

  const ask = (
    options: Partial<OpenAiOptions> = {},
    how: { signal?: AbortSignal; onText?: (text: string) => void } = {},
  ): Promise<ModelOutcome> =>
    createOpenAiModel({ apiKey: 'sk-test', baseUrl: server.url, model: 'small', ...options }).complete(messages, how);

  it('streams an answer', async () => {
    server.prepare(says('Restart the pod, then look. [1]'));
    const heard: string[] = [];
    const outcome = await ask({}, { onText: (text) => heard.push(text) });
    expect(outcome).to.deep.equal({
      kind: 'answer',
      text: 'Restart the pod, then look. [1]',
      truncated: false,
      tokens: { sent: 100, received: 7 },
    });
    expect(heard.at(0)).to.equal('Restart the ');
    expect(heard.at(-1)).to.equal('Restart the pod, then look. [1]');
    expect(server.seen[0]?.headers.authorization).to.equal('Bearer sk-test');
    expect(server.seen[0]?.body.model).to.equal('small');
    expect(server.seen[0]?.body.messages).to.deep.equal(messages);
  });

  it('says that an answer was cut at its limit', async () => {
    server.prepare(says('Long', 'length'));
    expect(await ask()).to.include({ kind: 'answer', truncated: true });
  });

  const failures: [string, Reply[], string, object?][] = [
    ['a wrong key', [refuses(401, 'invalid_api_key')], 'unauthorised'],
    ['a model that is not there', [refuses(404, 'model_not_found')], 'unknown-model'],
    ['a used-up quota', [refuses(429, 'insufficient_quota')], 'busy'],
    ['a long wait', [refuses(429, 'rate_limit_exceeded', { 'retry-after': '40' })], 'busy', { retryAfterSeconds: 40 }],
    ['too much text', [refuses(400, 'context_length_exceeded')], 'too-long'],
    ['a request the server does not like', [refuses(400, 'invalid_request')], 'malformed'],
    ['a server error, twice', [refuses(500, null), refuses(500, null)], 'server'],
    ['a stream that breaks', [breaksAfter('Restart')], 'cut'],
    ['a stream that ends early', [endsAfter('Restart')], 'cut'],
    ['an empty stream', [endsAfter('')], 'empty'],
    ['an empty answer', [says('')], 'empty'],
    ['a filtered answer', [says('', 'content_filter')], 'refused'],
    ['what is no JSON', [sends('data: {"choices": [\n\n')], 'malformed'],
    ['JSON of another shape', [sends('data: {"choices": "none"}\n\n')], 'malformed'],
  ];
  for (const [name, replies, trouble, more] of failures) {
    it(`reports ${name}`, async () => {
      server.prepare(...replies);
      expect(await ask()).to.include({ kind: 'failed', trouble, ...more });
    });
  }

  it('tries once more after a server error or a short wait', async () => {
    server.prepare(
      refuses(503, null),
      says('a'),
      refuses(429, 'rate_limit_exceeded', { 'retry-after': '0' }),
      says('b'),
    );
    expect(await ask()).to.include({ kind: 'answer', text: 'a' });
    expect(await ask()).to.include({ kind: 'answer', text: 'b' });
  });

  it('gives up on silence, before and between the words', async () => {
    server.prepare(staysSilent(), staysSilent('Restart'));
    expect(await ask({ silenceMs: 60 })).to.include({ kind: 'failed', trouble: 'slow' });
    expect(await ask({ silenceMs: 60 })).to.include({ kind: 'failed', trouble: 'slow' });
  });

  it('takes a slow first word', async () => {
    server.prepare(async (res) => {
      await new Promise((resolve) => setTimeout(resolve, 80));
      await says('late')(res);
    });
    expect(await ask({ silenceMs: 5_000 })).to.include({ kind: 'answer', text: 'late' });
  });

  it('stops when told to', async () => {
    server.prepare(staysSilent('Restart'));
    const stop = new AbortController();
    const outcome = await ask({}, { signal: stop.signal, onText: () => stop.abort() });
    expect(outcome).to.include({ kind: 'failed', trouble: 'stopped' });
  });

  it('reports a server that is not there', async () => {
    expect(await ask({ baseUrl: 'http://127.0.0.1:9/v1' })).to.include({ kind: 'failed', trouble: 'unreachable' });
  });

  it('does without a key on a server of ones own', async () => {
    server.prepare(says('yes'));
    expect(await ask({ apiKey: undefined })).to.include({ kind: 'answer' });
  });
});
