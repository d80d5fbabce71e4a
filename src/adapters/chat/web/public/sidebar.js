/** The list on the left: rooms, conversations, who is here. */

import { avatar, h, icon, iconButton } from './dom.js';

/**
 * @param {any} state
 * @param {{ onOpen: (room: string) => void, onPerson: (person: string) => void, onBrowse: () => void, onSwitch: () => void, onMenu: (button: HTMLElement) => void }} actions
 */
export function createSidebar(state, actions) {
  const rooms = h('ul', { class: 'nav-list' });
  const directs = h('ul', { class: 'nav-list' });
  const me = h('div', { class: 'me' });
  const element = h(
    'nav',
    { class: 'sidebar', 'aria-label': 'Rooms and people' },
    h(
      'div',
      { class: 'brand' },
      h('span', { class: 'logo', 'aria-hidden': 'true' }, icon('ship')),
      h('span', { class: 'brand-name' }),
    ),
    h(
      'button',
      { type: 'button', class: 'jump', onclick: actions.onSwitch },
      icon('search'),
      h('span', { text: 'Jump to…' }),
      h('kbd', { text: /Mac|iP/.test(navigator.platform) ? '⌘K' : 'Ctrl K' }),
    ),
    h(
      'div',
      { class: 'nav-scroll' },
      section('Rooms', rooms, iconButton('plus', 'Browse and create rooms', actions.onBrowse)),
      section('Direct messages', directs),
    ),
    me,
  );

  function section(title, list, button) {
    return h('section', { class: 'nav-section' }, h('header', {}, h('h2', { text: title }), button), list);
  }

  function item(room, sign) {
    const current = room.id === state.open;
    const unread = room.unread > 0 && !current;
    const count = room.unread > 99 ? '99+' : String(room.unread);
    return h(
      'li',
      {},
      h(
        'a',
        {
          href: `/#/room/${encodeURIComponent(room.id)}`,
          class: `nav-item${unread ? ' unread' : ''}`,
          'aria-current': current ? 'page' : undefined,
          'data-room': room.id,
          onclick: (event) => {
            if (event.metaKey || event.ctrlKey) return;
            event.preventDefault();
            actions.onOpen(room.id);
          },
        },
        sign,
        h('span', { class: 'nav-name', text: room.name }),
        unread && h('span', { class: 'count' }, count, h('span', { class: 'visually-hidden', text: ' unread' })),
      ),
    );
  }

  function personSign(person) {
    return h(
      'span',
      { class: 'nav-avatar' },
      avatar(person, false),
      h('span', { class: `presence ${person.online ? 'online' : ''}`, title: person.online ? 'here' : 'away' }),
    );
  }

  function render() {
    const focused = document.activeElement?.dataset?.room;
    element.querySelector('.brand-name').textContent = state.robot.title;
    const all = [...state.rooms.values()];
    rooms.replaceChildren(
      ...all
        .filter((room) => room.kind === 'room' && room.joined)
        .sort((a, b) => a.name.localeCompare(b.name))
        .map((room) => item(room, icon('hash', 'nav-hash'))),
    );
    if (rooms.childElementCount === 0) rooms.append(h('li', { class: 'nav-empty', text: 'No rooms yet.' }));
    const robotRoom = all.find((room) => room.kind === 'robot');
    const robot = robotRoom
      ? [item(robotRoom, h('span', { class: 'nav-avatar' }, avatar({ id: '', name: '' }, true)))]
      : [];
    const byPerson = new Map(all.filter((room) => room.kind === 'direct').map((room) => [room.person, room]));
    const people = [...state.people.values()]
      .filter((person) => person.id !== state.me.id)
      .sort(
        (a, b) =>
          Number(byPerson.get(b.id)?.unread > 0) - Number(byPerson.get(a.id)?.unread > 0) ||
          Number(b.online) - Number(a.online) ||
          a.name.localeCompare(b.name),
      )
      .slice(0, 40)
      .map((person) => {
        const room = byPerson.get(person.id);
        if (room) return item({ ...room, name: person.name }, personSign(person));
        return h(
          'li',
          {},
          h(
            'button',
            { type: 'button', class: 'nav-item', onclick: () => actions.onPerson(person.id) },
            personSign(person),
            h('span', { class: 'nav-name', text: person.name }),
          ),
        );
      });
    directs.replaceChildren(...robot, ...people);
    me.replaceChildren(
      h(
        'button',
        {
          type: 'button',
          class: 'me-button',
          'aria-haspopup': 'menu',
          title: 'Theme, shortcuts, sign out',
          onclick: (event) => actions.onMenu(event.currentTarget),
        },
        h(
          'span',
          { class: 'nav-avatar' },
          avatar(state.me, false),
          h('span', { class: `presence ${state.connected ? 'online' : ''}` }),
        ),
        h('span', { class: 'nav-name', text: state.me.name }),
        icon('more', 'me-icon'),
      ),
    );
    if (focused) element.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
  }

  return { element, render };
}
