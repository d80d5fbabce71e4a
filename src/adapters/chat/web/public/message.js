/** One message as an element. */

import { avatar, h, icon, iconButton, setServerHtml } from './dom.js';
import { timeElement, timeOfDay } from './time.js';

const TONE_ICON = { neutral: 'info', progress: 'run', good: 'check', warning: 'warn', bad: 'cross' };
const TONE_NAME = { neutral: '', progress: 'In progress: ', good: 'Good: ', warning: 'Warning: ', bad: 'Failed: ' };

/**
 * @param {any} message
 * @param {{ follow: boolean, inThread: boolean, robotName: string, onThread?: (message: any) => void, onPress: (message: any, index: number, button: HTMLElement) => void, onLink: (message: any) => void }} options
 */
export function messageElement(message, options) {
  if (message.pressed) return pressedElement(message);
  const element = h('article', {
    class: `message${options.follow ? ' follow' : ''}${message.robot ? ' by-robot' : ''}${message.onlyYou ? ' only-you' : ''}`,
    'data-id': message.id,
    tabindex: '-1',
    'aria-label': `${message.person.name}, ${timeOfDay(message.at)}`,
  });
  const gutter = h('div', { class: 'gutter' });
  if (options.follow) gutter.append(h('span', { class: 'clock', 'aria-hidden': 'true', text: timeOfDay(message.at) }));
  else gutter.append(avatar(message.person, message.robot));
  const body = h('div', { class: 'body' });
  if (!options.follow) {
    body.append(
      h(
        'header',
        { class: 'byline' },
        h('span', { class: 'author', text: message.person.name }),
        message.robot && h('span', { class: 'badge', text: 'robot' }),
        h('a', { class: 'stamp', href: permalink(message) }, timeElement(message.at, 'conversation')),
        message.onlyYou && h('span', { class: 'private-note' }, icon('lock'), 'Only you see this'),
      ),
    );
  }
  if (message.card) body.append(cardElement(message, options));
  else body.append(setServerHtml(h('div', { class: 'text' }), message.html ?? ''));
  if (message.replies > 0 && options.onThread) body.append(repliesElement(message, options.onThread));
  element.append(gutter, body, toolsElement(message, options));
  return element;
}

export function permalink(message) {
  return `/#/room/${encodeURIComponent(message.room)}/${message.id}`;
}

function toolsElement(message, options) {
  return h(
    'div',
    { class: 'tools', role: 'group', 'aria-label': 'For this message' },
    options.onThread && iconButton('thread', 'Reply in thread', () => options.onThread(message)),
    iconButton('link', 'Copy link', () => options.onLink(message)),
  );
}

function repliesElement(message, onThread) {
  return h(
    'button',
    { type: 'button', class: 'replies', onclick: () => onThread(message) },
    icon('thread'),
    h('strong', { text: message.replies === 1 ? '1 reply' : `${message.replies} replies` }),
    message.lastReply && h('span', { class: 'muted' }, 'last reply ', timeElement(message.lastReply, 'list')),
  );
}

function pressedElement(message) {
  return h(
    'article',
    { class: 'pressed', 'data-id': message.id, tabindex: '-1' },
    h('div', { class: 'gutter' }, icon('press')),
    h(
      'div',
      { class: 'body' },
      h('span', { class: 'author', text: message.person.name }),
      ' pressed ',
      h('code', { text: message.pressed.command }),
      h('a', { class: 'stamp', href: permalink(message) }, timeElement(message.at, 'conversation')),
    ),
  );
}

function cardElement(message, options) {
  const { card } = message;
  const element = h('section', { class: `card tone-${card.tone}` });
  if (card.speaker) element.append(h('p', { class: 'card-speaker', text: card.speaker }));
  element.append(
    h(
      'h3',
      { class: 'card-title' },
      icon(TONE_ICON[card.tone] ?? 'info', card.tone === 'progress' ? 'spin' : ''),
      h('span', {}, h('span', { class: 'visually-hidden', text: TONE_NAME[card.tone] ?? '' }), card.title),
    ),
  );
  if (card.html) element.append(setServerHtml(h('div', { class: 'text' }), card.html));
  if (card.fields.length > 0) {
    const list = h('dl', { class: 'fields' });
    for (const field of card.fields) {
      list.append(
        h(
          'div',
          { class: field.short ? 'field' : 'field wide' },
          h('dt', { text: field.name }),
          setServerHtml(h('dd', { class: 'text' }), field.html),
        ),
      );
    }
    element.append(list);
  }
  if (card.image) {
    element.append(
      card.image.src
        ? h('img', { class: 'picture', src: card.image.src, alt: card.image.alt, loading: 'lazy' })
        : h('a', { href: card.image.url, rel: 'noopener noreferrer', target: '_blank', text: card.image.alt }),
    );
  }
  if (card.file) {
    element.append(
      h('a', { class: 'card-file', href: card.file.href, download: card.file.name, text: card.file.name }),
    );
  }
  if (card.actions.length > 0) {
    element.append(
      h(
        'div',
        { class: 'actions' },
        ...card.actions.map((action, index) =>
          h('button', {
            type: 'button',
            class: `action ${action.style ?? ''}`.trim(),
            title: action.command,
            text: action.label,
            onclick: (event) => options.onPress(message, index, event.currentTarget),
          }),
        ),
      ),
    );
  }
  let first = card.actions.length;
  for (const choice of card.choices) {
    element.append(choiceElement(message, choice, first, options));
    first += choice.options.length;
  }
  if (card.footer) element.append(h('p', { class: 'card-footer', text: card.footer }));
  return element;
}

/** One of many. A button runs what is chosen: with arrow keys a select changes at every step. */
function choiceElement(message, choice, first, options) {
  const run = h('button', { type: 'button', class: 'action', disabled: true, text: 'Run' });
  const select = h(
    'select',
    { class: 'action', 'aria-label': choice.label },
    h('option', { value: '', text: choice.label }),
    ...choice.options.map((option, index) => h('option', { value: first + index, text: option.label })),
  );
  select.addEventListener('change', () => {
    run.disabled = select.value === '';
    run.title = choice.options[Number(select.value) - first]?.command ?? '';
  });
  run.addEventListener('click', () => {
    if (select.value !== '') options.onPress(message, Number(select.value), run);
  });
  return h('div', { class: 'actions' }, select, run);
}

/** A message that the server has not acknowledged yet, or has refused. */
export function pendingElement(waiting, me, { onRetry, onDiscard }) {
  const { frame, at, refused } = waiting;
  return h(
    'article',
    { class: `message pending${refused ? ' refused' : ''}`, 'data-client-id': frame.id },
    h('div', { class: 'gutter' }, avatar(me, false)),
    h(
      'div',
      { class: 'body' },
      h('header', { class: 'byline' }, h('span', { class: 'author', text: me.name }), timeElement(at, 'conversation')),
      h('div', { class: 'text plain', text: frame.text }),
      refused
        ? h(
            'div',
            { class: 'refusal', role: 'alert' },
            icon('warn'),
            h('span', {}, h('strong', { text: refused.text }), ' ', refused.next),
            h('button', { type: 'button', class: 'link', text: 'Try again', onclick: () => onRetry(frame.id) }),
            h('button', { type: 'button', class: 'link', text: 'Discard', onclick: () => onDiscard(frame.id) }),
          )
        : h('span', { class: 'sending muted', text: 'Sending…' }),
    ),
  );
}
