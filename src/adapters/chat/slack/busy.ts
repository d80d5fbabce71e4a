/** What a person sees when nothing can be done now: in the acknowledgement, within the three seconds that Slack waits. */

import type { Envelope } from './ports.ts';

const TEXT = 'The robot cannot reach its database right now. Nothing was done: try again in a moment.';

/**
 * The answer to put into the acknowledgement. Undefined where Slack takes none: then it is not acknowledged, and Slack itself
 * says that it did not work.
 */
export function busyAnswer({ kind, body }: Envelope): object | undefined {
  if (kind === 'command') return { response_type: 'ephemeral', text: TEXT };
  if (kind !== 'interactive') return undefined;
  // https://docs.slack.dev/surfaces/modals#updating_response
  if (body['type'] === 'view_submission') return { response_action: 'update', view: view() };
  if (body['type'] === 'block_suggestion') return { options: [] };
  return undefined;
}

/** When a listener has nothing to say, or not yet: a form closes, a list is empty. */
export function noAnswer({ body }: Envelope): object | undefined {
  return body['type'] === 'block_suggestion' ? { options: [] } : undefined;
}

function view(): object {
  return {
    type: 'modal',
    title: { type: 'plain_text', text: 'Not now' },
    close: { type: 'plain_text', text: 'Close' },
    blocks: [{ type: 'section', text: { type: 'plain_text', text: TEXT } }],
  };
}
