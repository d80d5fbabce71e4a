/** Where people write: grows with the text, completes commands, recalls what was sent before. */

import { announce, h, icon } from './dom.js';

const COMPLETE_AFTER = 70;
const KEPT = 50;
const DRAFTS = new Map();
const sent = [];
let made = 0;

/**
 * @param {{ placeholder: () => string, key: () => string, prefix: (text: string) => string | undefined, complete: (text: string) => Promise<any[]>, onSend: (text: string) => void, onEscape?: () => void, limit: number }} options
 *   `prefix` returns what addresses the robot in front of a command; undefined if the text does not address it
 */
export function createComposer(options) {
  const listId = `suggestions-${++made}`;
  const input = h('textarea', {
    rows: '1',
    class: 'composer-input',
    role: 'combobox',
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': listId,
    enterkeyhint: 'send',
    autocomplete: 'off',
    spellcheck: 'true',
  });
  const button = h(
    'button',
    { type: 'submit', class: 'send', 'aria-label': 'Send', title: 'Send (Enter)' },
    icon('send'),
  );
  const list = h('ul', { class: 'suggestions', id: listId, role: 'listbox', 'aria-label': 'Commands' });
  const status = h('div', { class: 'composer-status' });
  const excess = h('div', { class: 'composer-excess', role: 'status' });
  const form = h(
    'form',
    { class: 'composer', onsubmit: submit },
    list,
    h('div', { class: 'composer-box' }, input, button),
    h('div', { class: 'composer-foot' }, status, excess),
  );
  let suggestions = [];
  let prefix = '';
  let selected = -1;
  let chosen = false;
  let timer;
  let asked = 0;
  let recalled = sent.length;

  list.hidden = true;
  refresh();

  function refresh() {
    button.disabled = input.value.trim() === '';
    const left = options.limit - input.value.length;
    form.classList.toggle('too-long', left < 0);
    excess.textContent = left < 0 ? `${-left} characters too many: shorten it, or send it in parts` : '';
  }

  function submit(event) {
    event?.preventDefault();
    const text = input.value.trim();
    if (text === '') return;
    if (text.length > options.limit) {
      announce(excess.textContent);
      return;
    }
    if (sent.at(-1) !== text) sent.push(text);
    if (sent.length > KEPT) sent.shift();
    recalled = sent.length;
    setText('');
    options.onSend(text);
  }

  function setText(text) {
    input.value = text;
    input.setSelectionRange(text.length, text.length);
    DRAFTS.set(options.key(), text);
    hide();
    refresh();
  }

  function hide() {
    clearTimeout(timer);
    asked += 1;
    suggestions = [];
    selected = -1;
    chosen = false;
    list.hidden = true;
    list.replaceChildren();
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function typed() {
    DRAFTS.set(options.key(), input.value);
    recalled = sent.length;
    refresh();
    ask();
  }

  function ask() {
    clearTimeout(timer);
    const text = input.value;
    const before = text.includes('\n') ? undefined : options.prefix(text);
    if (before === undefined || text.trim() === '') return hide();
    const mine = ++asked;
    timer = setTimeout(async () => {
      const found = await options.complete(text.slice(before.length)).catch(() => []);
      if (mine !== asked || document.activeElement !== input) return;
      const useful = found.filter((one) => before + one.text !== text).slice(0, 8);
      if (useful.length === 0) return hide();
      show(useful, before);
    }, COMPLETE_AFTER);
  }

  function show(found, before) {
    suggestions = found;
    prefix = before;
    chosen = false;
    selected = 0;
    list.replaceChildren(
      ...found.map((one, index) =>
        h(
          'li',
          {
            role: 'option',
            id: `${listId}-${index}`,
            class: 'suggestion',
            onmousedown: (event) => {
              event.preventDefault();
              accept(index);
            },
          },
          h('span', { class: 'suggestion-label', text: one.label }),
          h('span', { class: 'suggestion-hint', text: one.hint }),
        ),
      ),
      h(
        'li',
        { class: 'suggestion-keys', role: 'presentation' },
        h('kbd', { text: 'Tab' }),
        ' complete  ',
        h('kbd', { text: '↑' }),
        h('kbd', { text: '↓' }),
        ' choose  ',
        h('kbd', { text: 'Esc' }),
        ' close',
      ),
    );
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    mark();
  }

  function mark() {
    for (const [index, option] of [...list.querySelectorAll('[role=option]')].entries()) {
      option.setAttribute('aria-selected', String(index === selected));
      if (index === selected) option.scrollIntoView({ block: 'nearest' });
    }
    if (chosen) input.setAttribute('aria-activedescendant', `${listId}-${selected}`);
    else input.removeAttribute('aria-activedescendant');
  }

  function accept(index) {
    const one = suggestions[index];
    if (!one) return;
    const text = prefix + one.text;
    // The value of a key follows it without a space.
    setText(/[\s:=]$/.test(text) ? text : `${text} `);
    input.focus();
    ask();
  }

  function key(event) {
    if (event.isComposing) return;
    const open = !list.hidden;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      if (open && chosen) accept(selected);
      else submit();
    } else if (open && event.key === 'Tab' && !event.shiftKey) {
      event.preventDefault();
      accept(selected);
    } else if (open && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? (chosen ? 1 : 0) : -1;
      chosen = true;
      selected = (selected + step + suggestions.length) % suggestions.length;
      mark();
    } else if (event.key === 'Escape') {
      if (open) {
        event.preventDefault();
        event.stopPropagation();
        hide();
      } else options.onEscape?.();
    } else if (event.key === 'ArrowUp' && (input.value === '' || recalled < sent.length)) {
      if (recalled === 0 || sent.length === 0) return;
      event.preventDefault();
      recall(recalled - 1);
    } else if (event.key === 'ArrowDown' && recalled < sent.length) {
      event.preventDefault();
      recall(recalled + 1);
    }
  }

  function recall(index) {
    setText(sent[index] ?? '');
    recalled = index;
  }

  input.addEventListener('input', typed);
  input.addEventListener('keydown', key);
  input.addEventListener('blur', () => hide());

  return {
    element: form,
    status,
    focus: () => input.focus({ preventScroll: true }),
    hasFocus: () => document.activeElement === input,
    /** Another room or thread: its draft, its placeholder. */
    switched() {
      const draft = DRAFTS.get(options.key()) ?? '';
      input.value = draft;
      input.placeholder = options.placeholder();
      input.setAttribute('aria-label', options.placeholder());
      recalled = sent.length;
      hide();
      refresh();
    },
    put(text) {
      setText(text);
      input.focus();
      ask();
    },
  };
}
