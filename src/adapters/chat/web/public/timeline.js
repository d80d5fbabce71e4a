/** The messages of a room or thread in order: days, who speaks on, what is new, and where the reader stands. */

import { h } from './dom.js';
import { messageElement, pendingElement } from './message.js';
import { dayName } from './time.js';

const SAME_BREATH = 5 * 60_000;
const NEAR_END = 60;
const LOAD_AHEAD = 400;
const BESIDE_LONG = 24;
const MOST = 600;
const KEPT = 300;

/**
 * @param {{ inThread: boolean, message: any, onOlder?: () => Promise<void>, onNewer?: () => Promise<void>, onEnd?: (atEnd: boolean) => void, pending: any }} options
 */
export function createTimeline(options) {
  const top = h('div', { class: 'timeline-top' });
  const list = h('div', { class: 'timeline-list', role: 'log', 'aria-live': 'polite', 'aria-relevant': 'additions' });
  const pendingList = h('div', { class: 'timeline-pending' });
  const scroller = h(
    'div',
    { class: 'timeline', tabindex: '0', 'aria-label': 'Messages' },
    h('div', { class: 'timeline-inner' }, top, list, pendingList),
  );
  let messages = [];
  let entries = new Map();
  let newFrom;
  let sticky = true;
  let loading = false;
  let older = false;
  let newer = false;

  function atEnd() {
    return !newer && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
  }

  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
  }

  scroller.addEventListener(
    'scroll',
    () => {
      sticky = atEnd();
      options.onEnd?.(sticky);
      void loadMore();
    },
    { passive: true },
  );
  new ResizeObserver(() => sticky && toEnd()).observe(scroller.firstElementChild);
  new ResizeObserver(() => sticky && toEnd()).observe(scroller);

  async function loadMore() {
    if (loading) return;
    const wantOlder = older && options.onOlder && scroller.scrollTop < LOAD_AHEAD;
    const wantNewer =
      newer && options.onNewer && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < LOAD_AHEAD;
    if (!wantOlder && !wantNewer) return;
    loading = true;
    try {
      await (wantOlder ? options.onOlder() : options.onNewer());
    } finally {
      loading = false;
    }
  }

  /** The parts before a message depend on the one before it. */
  function dress(index) {
    const message = messages[index];
    if (!message) return;
    const previous = messages[index - 1];
    const at = new Date(message.at);
    const newDay = !previous || new Date(previous.at).toDateString() !== at.toDateString();
    const isNew = newFrom !== undefined && message.id >= newFrom && (!previous || previous.id < newFrom);
    const follow =
      !newDay &&
      !isNew &&
      previous &&
      !previous.pressed &&
      !message.card &&
      !message.pressed &&
      previous.person.id === message.person.id &&
      at - new Date(previous.at) < SAME_BREATH;
    const entry = entries.get(message.id);
    const key = `${newDay}${isNew}${Boolean(follow)}`;
    if (entry?.key === key) return;
    const wrapper = entry?.wrapper ?? h('div', { class: 'entry' });
    const parts = [];
    if (newDay && !options.inThread) parts.push(h('div', { class: 'divider' }, h('span', { text: dayName(at) })));
    if (isNew) parts.push(h('div', { class: 'divider new' }, h('span', { text: 'New' })));
    parts.push(messageElement(message, { ...options.message, inThread: options.inThread, follow }));
    wrapper.replaceChildren(...parts);
    entries.set(message.id, { wrapper, key });
  }

  function place(message) {
    const known = messages.findIndex((other) => other.id === message.id);
    if (known >= 0) {
      messages[known] = message;
      entries.get(message.id).key = '';
      dress(known);
      return;
    }
    let index = messages.length;
    while (index > 0 && messages[index - 1].id > message.id) index -= 1;
    messages.splice(index, 0, message);
    dress(index);
    const next = messages[index + 1];
    list.insertBefore(entries.get(message.id).wrapper, next ? entries.get(next.id).wrapper : null);
    dress(index + 1);
  }

  /** A page that stays open for weeks does not keep everything: what is above is loaded again when it is wanted. */
  function trim() {
    if (messages.length <= MOST || !options.onOlder) return;
    for (const gone of messages.splice(0, messages.length - KEPT)) {
      entries.get(gone.id).wrapper.remove();
      entries.delete(gone.id);
    }
    older = true;
    options.onTrim?.();
    dress(0);
  }

  return {
    element: scroller,
    top,
    /** Shows these messages and nothing else. */
    reset(page, { unreadFrom, hasOlder, hasNewer }) {
      messages = [];
      entries = new Map();
      newFrom = unreadFrom;
      older = hasOlder;
      newer = hasNewer;
      list.setAttribute('aria-live', 'off');
      list.replaceChildren();
      for (const message of page) place(message);
      sticky = !hasNewer;
      if (sticky) toEnd();
      requestAnimationFrame(() => {
        list.setAttribute('aria-live', 'polite');
        if (sticky) toEnd();
        void loadMore();
      });
    },
    prepend(page, hasOlder) {
      older = hasOlder;
      const before = scroller.scrollHeight - scroller.scrollTop;
      list.setAttribute('aria-live', 'off');
      for (const message of page) place(message);
      scroller.scrollTop = scroller.scrollHeight - before;
      requestAnimationFrame(() => list.setAttribute('aria-live', 'polite'));
    },
    extend(page, hasNewer) {
      const top = scroller.scrollTop;
      newer = hasNewer;
      for (const message of page) place(message);
      scroller.scrollTop = top;
    },
    /** One more message. While older pages are shown it waits there until the reader comes down. */
    add(message) {
      if (newer) return;
      const stick = sticky;
      place(message);
      if (!stick) return;
      trim();
      // What is longer than the window is read from its beginning.
      const { wrapper } = entries.get(message.id);
      if (wrapper.offsetHeight > scroller.clientHeight - BESIDE_LONG) {
        sticky = false;
        scroller.scrollTop +=
          wrapper.getBoundingClientRect().top - scroller.getBoundingClientRect().top - BESIDE_LONG / 2;
      } else toEnd();
    },
    change(message) {
      if (!entries.has(message.id)) return;
      const active = document.activeElement;
      const entry = entries.get(message.id).wrapper;
      const buttons = [...entry.querySelectorAll('button')];
      const focused = buttons.indexOf(active);
      place(message);
      if (focused >= 0) entry.querySelectorAll('button')[focused]?.focus();
      if (sticky) toEnd();
    },
    /** The first message in view and how far below the top it stands; for {@link restore}. */
    firstVisible() {
      const edge = scroller.getBoundingClientRect().top;
      for (const message of messages) {
        const box = entries.get(message.id).wrapper.getBoundingClientRect();
        if (box.bottom > edge) return { id: message.id, offset: box.top - edge };
      }
      return undefined;
    },
    restore({ id, offset }) {
      const wrapper = entries.get(id)?.wrapper;
      if (!wrapper) return;
      sticky = false;
      scroller.scrollTop += wrapper.getBoundingClientRect().top - scroller.getBoundingClientRect().top - offset;
    },
    /** What is shown from one id up to another one, without it; undefined if there may be a gap between. */
    between(from, to) {
      const last = messages.at(-1);
      if (to === undefined || !last || last.id < to) return undefined;
      return messages.filter((message) => message.id >= from && message.id < to);
    },
    get: (id) => messages.find((message) => message.id === id),
    has: (id) => entries.has(id),
    first: () => messages[0],
    last: () => messages.at(-1),
    count: () => messages.length,
    isLive: () => !newer,
    atEnd,
    toEnd() {
      sticky = true;
      toEnd();
    },
    showPending(waiting, me) {
      pendingList.replaceChildren(...waiting.map((one) => pendingElement(one, me, options.pending)));
      if (sticky) toEnd();
    },
    /** Brings a message into view and points at it. */
    reveal(id) {
      const element = list.querySelector(`[data-id="${Number(id)}"]`);
      if (!element) return false;
      sticky = false;
      element.scrollIntoView({ block: 'center' });
      element.classList.add('found');
      element.focus({ preventScroll: true });
      setTimeout(() => element.classList.remove('found'), 2500);
      return true;
    },
  };
}
