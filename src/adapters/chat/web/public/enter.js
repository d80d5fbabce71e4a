/** Before the chat: the display name of a new person, or why there is no way in. */

import { h, icon } from './dom.js';

function page(...children) {
  return h(
    'main',
    { class: 'enter' },
    h(
      'div',
      { class: 'enter-card' },
      h('span', { class: 'logo large', 'aria-hidden': 'true' }, icon('ship')),
      ...children,
    ),
  );
}

/** Asks for a name until the server takes one; then calls `onIn`. */
export function namePage(me, onIn) {
  const input = h('input', {
    id: 'name',
    class: 'field-input',
    type: 'text',
    value: me.suggested ?? '',
    maxlength: '40',
    autocomplete: 'nickname',
    required: true,
    spellcheck: 'false',
    placeholder: 'Ada',
  });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const button = h('button', { type: 'submit', class: 'action primary wide', text: 'Enter the chat' });
  const form = h(
    'form',
    {
      onsubmit: async (event) => {
        event.preventDefault();
        button.disabled = true;
        problem.textContent = '';
        const answer = await post('/web/enter', { name: input.value });
        button.disabled = false;
        if (answer.state === 'in') return onIn();
        problem.textContent = `${answer.problem} ${answer.next}`;
        input.focus();
        input.select();
      },
    },
    h('label', { for: 'name', text: 'Your name' }),
    input,
    problem,
    button,
  );
  const element = page(
    h('h1', { text: `Welcome to ${me.robot}` }),
    h('p', {
      class: 'muted',
      text: me.suggested
        ? `You were invited as ${me.suggested}.`
        : 'What should the others call you? Everything you do here is kept under this name.',
    }),
    form,
  );
  queueMicrotask(() => {
    input.focus();
    input.select();
  });
  return element;
}

const REASONS = {
  '#link-refused': [
    'This link is not valid.',
    'Its token is not the one of this robot. Open the link that was printed when the robot started last.',
  ],
  '#invite-refused': [
    'This invitation is used up.',
    'An invitation works once, for one day. Ask whoever invited you for a new one.',
  ],
  '#signed-out': ['You are signed out.', 'Open the link that was printed when the robot started to come back in.'],
};

/** There is no session: says why, and what to do. */
export function outPage(me, hash) {
  const [title, next] = REASONS[hash] ?? [
    'You need a link to come in.',
    'Open the link that was printed when the robot started.',
  ];
  return page(
    h('h1', { text: title }),
    h('p', { class: 'muted', text: next }),
    h(
      'div',
      { class: 'enter-help' },
      h(
        'p',
        {},
        h('strong', { text: 'On the machine of the robot: ' }),
        'look at its terminal or log for ',
        h('code', { text: '/?token=…' }),
      ),
      h(
        'p',
        {},
        h('strong', { text: 'Somewhere else: ' }),
        'ask somebody who is in the chat to type ',
        h('code', { text: 'invite your-name' }),
        ' and to send you the link.',
      ),
    ),
  );
}

export function awayPage(onRetry) {
  return page(
    h('h1', { text: 'The robot is not reachable.' }),
    h('p', { class: 'muted', text: 'It may be starting. This page tries again by itself.' }),
    h('button', { type: 'button', class: 'action primary', text: 'Try now', onclick: onRetry }),
  );
}

export async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return await response.json();
  } catch {
    return { problem: 'Shipmate is not reachable.', next: 'Try again in a moment.' };
  }
}
