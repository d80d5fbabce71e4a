/** What opens above the page: the switcher, the list of rooms, the shortcuts, the menu of the person. */

import { avatar, h, icon, iconButton } from './dom.js';

function openDialog(label, className, ...children) {
  const dialog = h('dialog', { class: `dialog ${className}`, 'aria-label': label }, ...children);
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ctrl-K: any room or person by a few letters. `choices`: `{ label, hint, sign, run }`. */
export function openSwitcher(choices) {
  if (document.querySelector('dialog.switcher')) return;
  const input = h('input', {
    class: 'switcher-input',
    type: 'text',
    placeholder: 'Room or person',
    'aria-label': 'Room or person',
    role: 'combobox',
    'aria-expanded': 'true',
    'aria-controls': 'switcher-list',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const list = h('ul', { id: 'switcher-list', class: 'switcher-list', role: 'listbox' });
  const dialog = openDialog('Jump to', 'switcher', h('div', { class: 'switcher-head' }, icon('search'), input), list);
  let shown = [];
  let selected = 0;

  function filter() {
    const wanted = input.value.trim().toLowerCase().replace(/^[#@]/, '');
    shown = choices
      .map((choice, index) => ({ choice, rank: rank(choice.label.toLowerCase(), wanted), index }))
      .filter((one) => one.rank < 9)
      .sort((a, b) => a.rank - b.rank || a.index - b.index)
      .slice(0, 12)
      .map((one) => one.choice);
    selected = 0;
    list.replaceChildren(
      ...shown.map((choice, index) =>
        h(
          'li',
          { role: 'option', id: `switcher-${index}`, class: 'switcher-item', onclick: () => run(index) },
          choice.sign(),
          h('span', { class: 'nav-name', text: choice.label }),
          h('span', { class: 'muted', text: choice.hint }),
        ),
      ),
    );
    if (shown.length === 0) list.append(h('li', { class: 'switcher-none', text: 'Nothing of that name.' }));
    mark();
  }

  function mark() {
    for (const [index, option] of [...list.querySelectorAll('[role=option]')].entries()) {
      option.setAttribute('aria-selected', String(index === selected));
      if (index === selected) option.scrollIntoView({ block: 'nearest' });
    }
    input.setAttribute('aria-activedescendant', `switcher-${selected}`);
  }

  function run(index) {
    const choice = shown[index];
    if (!choice) return;
    dialog.close();
    choice.run();
  }

  input.addEventListener('input', filter);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      selected = (selected + (event.key === 'ArrowDown' ? 1 : -1) + shown.length) % Math.max(1, shown.length);
      mark();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(selected);
    }
  });
  filter();
}

function rank(label, wanted) {
  if (wanted === '') return 1;
  if (label.startsWith(wanted)) return 0;
  if (label.split(/[\s_-]/).some((word) => word.startsWith(wanted))) return 1;
  return label.includes(wanted) ? 2 : 9;
}

/** Every public room, and the way to make one. */
export async function openRooms({ load, onOpen, onJoin, onCreate }) {
  if (document.querySelector('dialog.rooms')) return;
  const name = h('input', {
    type: 'text',
    class: 'field-input',
    placeholder: 'new-room',
    'aria-label': 'Name of the new room',
    maxlength: '41',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const list = h('ul', { class: 'room-list' }, h('li', { class: 'muted', text: 'Loading…' }));
  const dialog = openDialog(
    'Rooms',
    'rooms',
    h(
      'header',
      { class: 'dialog-head' },
      h('h2', { text: 'Rooms' }),
      iconButton('close', 'Close', () => dialog.close()),
    ),
    h(
      'form',
      {
        class: 'room-form',
        onsubmit: async (event) => {
          event.preventDefault();
          try {
            const room = await onCreate(name.value);
            dialog.close();
            onOpen(room.id);
          } catch (error) {
            problem.textContent = `${error.text} ${error.next}`;
          }
        },
      },
      h('span', { class: 'hash', 'aria-hidden': 'true', text: '#' }),
      name,
      h('button', { type: 'submit', class: 'action primary', text: 'Create' }),
    ),
    problem,
    list,
  );
  try {
    const rooms = await load();
    list.replaceChildren(
      ...rooms.map((room) =>
        h(
          'li',
          { class: 'room-row' },
          icon('hash', 'nav-hash'),
          h('button', {
            type: 'button',
            class: 'link room-name',
            text: room.name,
            onclick: () => {
              dialog.close();
              onOpen(room.id);
            },
          }),
          h('span', { class: 'muted', text: room.members === 1 ? '1 person' : `${room.members} people` }),
          room.joined
            ? h('span', { class: 'joined' }, icon('check'), 'joined')
            : h('button', {
                type: 'button',
                class: 'action',
                text: 'Join',
                onclick: async () => {
                  await onJoin(room.id);
                  dialog.close();
                  onOpen(room.id);
                },
              }),
        ),
      ),
    );
    if (rooms.length === 0)
      list.replaceChildren(h('li', { class: 'muted', text: 'There is no room yet. Create the first one above.' }));
  } catch (error) {
    list.replaceChildren(h('li', { class: 'problem', text: `${error.text} ${error.next}` }));
  }
}

const SHORTCUTS = [
  ['Ctrl K', 'Jump to a room or person'],
  ['Ctrl Shift F', 'Search messages'],
  ['Alt ↑ / Alt ↓', 'Room above, room below'],
  ['↑', 'In an empty line: what you sent before'],
  ['Tab', 'Complete the command'],
  ['Shift Enter', 'New line'],
  ['Esc', 'Close; back to the line; end of the room'],
  ['Ctrl /', 'These shortcuts'],
];

export function openShortcuts() {
  if (document.querySelector('dialog.shortcuts')) return;
  const mac = /Mac|iP/.test(navigator.platform);
  const dialog = openDialog(
    'Keyboard shortcuts',
    'shortcuts',
    h(
      'header',
      { class: 'dialog-head' },
      h('h2', { text: 'Keyboard shortcuts' }),
      iconButton('close', 'Close', () => dialog.close()),
    ),
    h(
      'dl',
      { class: 'keys' },
      ...SHORTCUTS.map(([keys, what]) =>
        h('div', {}, h('dt', {}, h('kbd', { text: mac ? keys.replace('Ctrl', '⌘') : keys })), h('dd', { text: what })),
      ),
    ),
  );
}

/** The menu of the person: theme, shortcuts, sign out. */
export function openMenu(button, { theme, onTheme, onShortcuts, onSignOut }) {
  const old = document.querySelector('.menu');
  if (old) {
    old.remove();
    return;
  }
  const themes = h(
    'div',
    { class: 'theme-switch', role: 'radiogroup', 'aria-label': 'Theme' },
    ...[
      ['auto', 'auto', 'As the system'],
      ['light', 'sun', 'Light'],
      ['dark', 'moon', 'Dark'],
    ].map(([value, sign, label]) =>
      h(
        'button',
        {
          type: 'button',
          role: 'radio',
          'aria-checked': String(theme() === value),
          'aria-label': label,
          title: label,
          onclick: (event) => {
            onTheme(value);
            for (const other of themes.children)
              other.setAttribute('aria-checked', String(other === event.currentTarget));
          },
        },
        icon(sign),
      ),
    ),
  );
  const row = (sign, text, run) =>
    h(
      'button',
      {
        type: 'button',
        class: 'menu-item',
        role: 'menuitem',
        onclick: () => {
          close();
          run();
        },
      },
      icon(sign),
      text,
    );
  const menu = h(
    'div',
    { class: 'menu', role: 'menu', 'aria-label': 'You' },
    themes,
    row('keys', 'Keyboard shortcuts', onShortcuts),
    row('out', 'Sign out', onSignOut),
  );
  function close() {
    menu.remove();
    document.removeEventListener('pointerdown', outside, true);
  }
  function outside(event) {
    if (!menu.contains(event.target) && !button.contains(event.target)) close();
  }
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    close();
    button.focus();
  });
  document.addEventListener('pointerdown', outside, true);
  button.parentElement.append(menu);
  themes.querySelector('[aria-checked=true]')?.focus();
}

export function personSign(person) {
  return h(
    'span',
    { class: 'nav-avatar' },
    avatar(person, false),
    h('span', { class: `presence ${person.online ? 'online' : ''}` }),
  );
}
