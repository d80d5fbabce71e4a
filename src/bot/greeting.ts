/** What the robot says to somebody whom it meets for the first time. */

import { type Action, type Card, card } from './card.ts';

export interface GreetingFacts {
  readonly robotName: string;
  /** Something that can be deployed here: the first service and its last environment. */
  readonly sample: { readonly service: string; readonly environment: string } | undefined;
  readonly isAdmin: boolean;
  /** May they deploy the sample and send a test alert? */
  readonly mayTry: boolean;
  /** In a terminal there is nothing to press, and nobody to invite. */
  readonly inTerminal?: boolean;
}

/** What the robot says once where everybody is: what becomes of their words. So there is something to search from the first minute on. */
export const WELCOME =
  'Welcome. What is said in a room that I am in is kept, with secrets taken out, and `history search` finds it; a private conversation is found only by those who are in it.';

/** Words of {@link WELCOME}. */
export const WELCOME_WORDS = 'secrets taken out';

/** The card with the four things to try; a button is a command, so it can be typed as well. */
export function greetingCard({ robotName, sample, isAdmin, mayTry, inTerminal = false }: GreetingFacts): Card {
  const actions: Action[] = [
    ...(sample
      ? [
          {
            label: `Deploy ${sample.service}`,
            command: `deploy ${sample.service} to ${sample.environment}`,
            style: 'primary' as const,
          },
        ]
      : []),
    { label: 'Send a test alert', command: 'alerts test' },
    { label: 'Ask the runbooks', command: 'ask what do I do when KubePodCrashLooping fires?' },
    { label: 'Search the history', command: `history search "${WELCOME_WORDS}"` },
  ];
  return card({
    isGuide: true,
    title: `Hello, I am ${robotName}`,
    text: [
      `I deploy, bring alerts into the room, answer from your runbooks and remember what was said. ${inTerminal ? 'Type one of these to begin' : 'Press a button, or type what it stands for'}:`,
      actions.map((action) => `- \`${action.command}\``).join('\n'),
      isAdmin && !inTerminal ? 'You are an **admin** here: `invite bob` makes a link for a colleague.' : '',
      isAdmin || mayTry
        ? ''
        : 'Deploying and test alerts need a role that you do not have yet: `roles` shows who may give you one.',
    ]
      .filter(Boolean)
      .join('\n\n'),
    actions: inTerminal ? [] : [...actions, { label: 'Help', command: 'help' }],
    footer: inTerminal
      ? 'Type help for all that you can run, exit to leave'
      : `In rooms, begin with ${robotName}; here every line is for me`,
  });
}
