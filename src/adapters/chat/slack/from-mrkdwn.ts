/** What people wrote in Slack, as text. https://docs.slack.dev/messaging/formatting-message-text#parsing */

import { unescapeSlack } from '../../../bot/tokens.ts';

/** What people call things of which a message holds only the id. */
interface SlackNames {
  person?(userId: string): string | undefined;
  channel?(channelId: string): string | undefined;
}

/**
 * A message's text as its author saw it: names for ids, addresses as they were typed, no escapes. What it gives is for reading,
 * for the history and for commands; it mentions nobody when it is posted through {@link escapeMrkdwn} or `plain()`.
 */
export function fromMrkdwn(text: string, names: SlackNames = {}): string {
  return unescapeSlack(text, (target, label) => {
    const id = target.slice(1);
    switch (target.charAt(0)) {
      case '@':
        return `@${(names.person?.(id) ?? (label || id)).replace(/^@/, '')}`;
      case '#':
        return `#${(names.channel?.(id) ?? (label || id)).replace(/^#/, '')}`;
      case '!':
        return special(id, label);
    }
    const address = target.replace(/^mailto:/, '');
    // What looks like an address becomes a link by itself: then the label is what was typed.
    if (!label || label === address || address.replace(/^https?:\/\//, '').replace(/\/$/, '') === label)
      return label || address;
    return `${label} (${address})`;
  });
}

function special(command: string, label: string | undefined): string {
  const [kind = '', id = ''] = command.split('^');
  if (kind === 'subteam') return `@${(label || id).replace(/^@/, '')}`;
  if (kind === 'date') return label ?? '';
  return label || `@${kind}`;
}
