/** What the robot says to somebody whom it meets for the first time. */

import { type Action, card, type Card } from './card.ts';

export interface GreetingFacts {
  readonly robotName: string;
  /** Something that can be deployed here: the first service, its last environment, and a version if one should be named. */
  readonly sample: { readonly service: string; readonly environment: string; readonly version?: string } | undefined;
  readonly isAdmin: boolean;
}

/** The card with the four things to try; a button is a command, so it can be typed as well. */
export function greetingCard({ robotName, sample, isAdmin }: GreetingFacts): Card {
  const actions: Action[] = [
    ...(sample
      ? [
          {
            label: `Deploy ${sample.service}`,
            command: ['deploy', sample.service, sample.version, 'to', sample.environment].filter(Boolean).join(' '),
            style: 'primary' as const,
          },
        ]
      : []),
    { label: 'Send a test alert', command: 'alerts test' },
    { label: 'Ask the runbooks', command: 'ask what do I do when KubePodCrashLooping fires?' },
    { label: 'Search the history', command: 'history search KubePodCrashLooping' },
  ];
  return card({
    title: `Hello, I am ${robotName}`,
    text: [
      'I deploy, bring alerts into the room, answer from your runbooks and remember what was said. Press a button, or type what it stands for:',
      actions.map((action) => `- \`${action.command}\``).join('\n'),
      isAdmin ? 'You are the first one here, so you are the **admin**: `invite bob` makes a link for a colleague.' : '',
    ]
      .filter(Boolean)
      .join('\n\n'),
    actions: [...actions, { label: 'Help', command: 'help' }],
    footer: `In rooms, begin with ${robotName}; here every line is for me`,
  });
}
