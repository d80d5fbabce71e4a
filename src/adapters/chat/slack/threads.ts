/** Which thread a message is in, and what answers it. https://docs.slack.dev/ai/migrating-to-agent-messaging */

import type { Self } from './ports.ts';
import { isDirect } from './rooms.ts';

/**
 * Slack gives an app this scope together with `agent_view` (or `assistant_view`), and says with each answer what a token may do. An app
 * without it has an ordinary direct conversation.
 */
const AGENT_SCOPE = 'assistant:write';

/** By the scopes of its token, as the Web API names them with `auth.test`. */
export function isAgent(scopes: readonly string[] | undefined): boolean {
  return scopes?.includes(AGENT_SCOPE) ?? false;
}

/** Undefined at the top of the channel. In the direct conversation with an agent, nothing is: a message is the root of its own thread. */
export function threadOf(
  channel: string,
  { ts, thread_ts: thread }: { readonly ts: string; readonly thread_ts?: string | undefined },
  { agent }: Pick<Self, 'agent'>,
): string | undefined {
  if (agent && isDirect(channel)) return thread ?? ts;
  return thread === ts ? undefined : thread;
}
