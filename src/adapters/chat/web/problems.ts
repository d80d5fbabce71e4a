/** What people are told when something cannot be done: what happened, and what to do now. Plain text. */

import type { Hint } from '../../../domain/history/ports.ts';
import type { Problem } from './protocol.ts';
import { MAX_TEXT } from './schema.ts';

export const problems = {
  malformed: { text: 'The server did not understand this page.', next: 'Reload the page.' },
  tooLong: {
    text: `The message is longer than ${MAX_TEXT.toLocaleString('en')} characters.`,
    next: 'Shorten it, or send it in parts.',
  },
  empty: { text: 'The message is empty.', next: 'Write something first.' },
  tooFast: { text: 'That was a lot at once.', next: 'Wait a few seconds and try again.', retryMs: 2500 },
  noRoom: { text: 'There is no such room, or you are not in it.', next: 'Choose a room on the left.' },
  noMessage: { text: 'There is no such message, or you may not see it.', next: 'It may have been deleted.' },
  noButton: { text: 'This button is not there any more.', next: 'The card has changed: look at it again.' },
  noPerson: { text: 'There is no such person here.', next: 'Invite them: type invite and a name.' },
  known: {
    text: 'There is a person of that name already, and a link for that name would make whoever opens it that person.',
    next: 'Choose another name, or ask somebody who may grant roles to make the link.',
  },
  noName: {
    text: 'No name is free that is like yours.',
    next: 'Ask somebody who may invite for a link with another name: invite, a name, and your address.',
  },
  emailTaken: (name: string) => ({
    text: `That address is the one of ${name} here.`,
    next: `Invite them by that name, or choose another address.`,
  }),
  roomName: {
    text: 'A room name has 1 to 40 small letters, digits, - or _, and begins with a letter or digit.',
    next: 'Choose another name, for example ops or team-web.',
  },
  roomTaken: { text: 'There is a room of that name already.', next: 'Join it, or choose another name.' },
  stay: { text: 'A direct conversation cannot be left.', next: 'Just ignore it.' },
  notStored: { text: 'The message could not be stored.', next: 'Try again; if it stays so, look at the log.' },
  failed: { text: 'That did not work.', next: 'Try again; if it stays so, look at the log.' },
} as const satisfies Record<string, Problem | ((name: string) => Problem)>;

/** What may help to find more. */
export function searchHint(hint: Hint): string {
  switch (hint.kind) {
    case 'word':
      return `Leave out “${hint.word}”.`;
    case 'nowhere':
      return `No message that you may read has “${hint.word}”.`;
    case 'filters':
      return 'Leave out from:, in:, since: and until:.';
    case 'page':
      return 'There are fewer pages.';
    case 'time':
      return 'Try a longer time.';
    case 'from':
      return 'Check the name after from:.';
    case 'in':
      return 'Check the room after in:.';
    case 'minus':
      return 'Leave out the words with a minus.';
    case 'private':
      return '';
  }
}
