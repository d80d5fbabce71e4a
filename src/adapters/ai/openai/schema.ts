/** What we read of the answers of an OpenAI-compatible server. Servers differ; only what we need must be there. */

import { z } from 'zod';

/** One piece of a streamed chat completion. https://platform.openai.com/docs/api-reference/chat-streaming */
export const chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish().catch(undefined),
});

/** What the SDK's errors carry, taken by shape. */
export const apiError = z.object({
  name: z.string().catch(''),
  message: z.string().catch(''),
  status: z.number().optional().catch(undefined),
  code: z.string().nullish().catch(undefined),
  type: z.string().nullish().catch(undefined),
  headers: z.instanceof(Headers).optional().catch(undefined),
});
