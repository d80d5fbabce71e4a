/** The panel on the right: one thread, or the search. */

import { createComposer } from './composer.js';
import { h, icon, iconButton, setServerHtml } from './dom.js';
import { timeElement } from './time.js';
import { createTimeline } from './timeline.js';

const SEARCH_AFTER = 250;

/** A thread with its own line to write in. */
export function createThread({ ask, onClose, onSend, timelineOptions, composerOptions, roomName }) {
  let open;
  const timeline = createTimeline({ ...timelineOptions, inThread: true });
  const composer = createComposer({
    ...composerOptions,
    placeholder: () => 'Reply in the thread',
    key: () => `thread ${open?.room}/${open?.root}`,
    onSend: (text) => onSend(open.room, open.root, text),
    onEscape: onClose,
  });
  const title = h('span', { class: 'muted' });
  const element = h(
    'aside',
    { class: 'panel thread', 'aria-label': 'Thread' },
    h(
      'header',
      { class: 'panel-head' },
      h('h2', { text: 'Thread' }),
      title,
      iconButton('close', 'Close the thread', onClose),
    ),
    timeline.element,
    composer.element,
  );
  return {
    element,
    composer,
    current: () => open,
    async show(room, root, focus = true) {
      open = { room, root };
      title.textContent = roomName(room);
      composer.switched();
      if (focus) composer.focus();
      const answer = await ask({ t: 'thread', room, message: root });
      if (open?.room !== room || open.root !== root) return;
      timeline.reset(answer.messages, { hasOlder: false, hasNewer: false });
    },
    close() {
      open = undefined;
    },
    take(message) {
      if (!open || message.room !== open.room || (message.thread !== open.root && message.id !== open.root))
        return false;
      if (timeline.has(message.id)) timeline.change({ ...message, replies: 0 });
      else if (timeline.count() > 0) timeline.add({ ...message, replies: 0 });
      return true;
    },
    timeline,
  };
}

/** Search in everything that the person may read. */
export function createSearch({ ask, onClose, onJump, currentRoom }) {
  const input = h('input', {
    type: 'search',
    class: 'field-input',
    placeholder: 'Words, "phrases", from:alice, since:7d',
    'aria-label': 'Search messages',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const here = h('input', { type: 'checkbox', id: 'search-here' });
  const status = h('p', { class: 'search-status muted', role: 'status' });
  const results = h('ol', { class: 'hits' });
  const element = h(
    'aside',
    { class: 'panel search', 'aria-label': 'Search' },
    h('header', { class: 'panel-head' }, h('h2', { text: 'Search' }), iconButton('close', 'Close the search', onClose)),
    h(
      'div',
      { class: 'search-form' },
      h('div', { class: 'search-field' }, icon('search'), input),
      h('label', { class: 'search-here', for: 'search-here' }, here, 'Only in this room'),
    ),
    status,
    results,
  );
  let timer;
  let asked = 0;

  function empty() {
    status.textContent = '';
    results.replaceChildren(
      h(
        'li',
        { class: 'search-tips' },
        h('p', { text: 'Everything said in your rooms is kept and found here.' }),
        ...[
          ['"connection refused"', 'these words together'],
          ['from:alice', 'said by a person'],
          ['in:ops', 'in a room'],
          ['since:7d', 'of the last seven days'],
          ['-test', 'without a word'],
        ].map(([text, what]) =>
          h(
            'p',
            {},
            h('button', {
              type: 'button',
              class: 'tip',
              text,
              onclick: () => {
                input.value = `${input.value.trim()} ${text}`.trim();
                input.focus();
                later(0);
              },
            }),
            h('span', { class: 'muted', text: what }),
          ),
        ),
      ),
    );
  }

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(() => search(), wait);
  }

  async function search(page = 1) {
    const query = input.value.trim();
    const mine = ++asked;
    if (query === '') return empty();
    status.textContent = 'Searching…';
    try {
      const room = here.checked ? currentRoom() : undefined;
      const answer = await ask({ t: 'search', query, ...(room && { room }), ...(page > 1 && { page }) });
      if (mine !== asked) return;
      if (page === 1) results.replaceChildren();
      results.querySelector('.more')?.remove();
      results.append(...answer.hits.map(hit));
      const count = results.childElementCount;
      status.textContent =
        count === 0
          ? (answer.hint ?? 'Nothing found.')
          : `${answer.more ? 'The best ' : ''}${count} ${count === 1 ? 'message' : 'messages'}`;
      if (answer.more)
        results.append(
          h(
            'li',
            { class: 'more' },
            h('button', { type: 'button', class: 'action wide', text: 'More', onclick: () => search(page + 1) }),
          ),
        );
    } catch (error) {
      if (mine === asked) status.textContent = `${error.text} ${error.next}`;
    }
  }

  function hit(found) {
    const open = (event) => {
      event.preventDefault();
      onJump(found);
    };
    return h(
      'li',
      {},
      h(
        'a',
        { class: 'hit', href: `/#/room/${encodeURIComponent(found.room)}/${found.id}`, onclick: open },
        h(
          'span',
          { class: 'hit-head' },
          h('strong', { text: found.person }),
          h('span', { class: 'muted', text: found.roomName }),
          timeElement(found.at, 'list'),
        ),
        plainHit(found.html),
      ),
    );
  }

  input.addEventListener('input', () => later(SEARCH_AFTER));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') later(0);
    if (event.key === 'Escape') onClose();
    if (event.key === 'ArrowDown') results.querySelector('a')?.focus();
  });
  here.addEventListener('change', () => later(0));
  empty();

  return {
    element,
    focus() {
      input.focus();
      input.select();
    },
  };
}

/** A link cannot hold links: those of the passage become text. */
function plainHit(html) {
  const element = setServerHtml(h('span', { class: 'hit-text text' }), html);
  for (const link of element.querySelectorAll('a')) link.replaceWith(link.textContent);
  return element;
}
