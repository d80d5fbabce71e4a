/** Puts the page together: what is open, what comes in, what the keys do. */

import { createComposer } from './composer.js';
import { createConnection, newId } from './connection.js';
import { openMenu, openRooms, openShortcuts, openSwitcher, personSign } from './dialogs.js';
import { announce, avatar, h, icon, iconButton } from './dom.js';
import { awayPage, namePage, outPage, post } from './enter.js';
import { permalink } from './message.js';
import { createSearch, createThread } from './panel.js';
import { createSidebar } from './sidebar.js';
import { createTimeline } from './timeline.js';

const LIMIT = 12_000;
const app = document.getElementById('app');

async function start() {
  let me;
  try {
    const response = await fetch('/web/me');
    if (!response.ok) throw new Error(String(response.status));
    me = await response.json();
  } catch {
    app.replaceChildren(awayPage(start));
    setTimeout(() => app.querySelector('.enter') && start(), 3000);
    return;
  }
  document.title = me.robot;
  if (me.state === 'out') app.replaceChildren(outPage(me, location.hash));
  else if (me.state === 'name') app.replaceChildren(namePage(me, start));
  else chat();
}

function chat() {
  const state = {
    me: { id: '', name: '' },
    robot: { name: '', title: '', room: '' },
    rooms: new Map(),
    people: new Map(),
    working: new Map(),
    open: undefined,
    connected: false,
  };
  /** What makes a pressed button ready again, by the id of its frame. */
  const pressed = new Map();
  let welcomed = false;
  let panel;
  let opening = 0;

  const connection = createConnection({ onFrame: take, onState: showState });
  const messageOptions = {
    get robotName() {
      return state.robot.name;
    },
    onThread: (message) => openThread(message.room, message.thread ?? message.id),
    onPress: press,
    onLink: copyLink,
  };
  const pending = {
    onRetry: (id) => {
      connection.retry(id);
      showPending();
    },
    onDiscard: (id) => {
      connection.settle(id);
      showPending();
    },
  };
  const timeline = createTimeline({
    inThread: false,
    message: messageOptions,
    pending,
    onOlder: () => more('before'),
    onNewer: () => more('after'),
    onTrim: () => showTop({ older: true }),
    onEnd: (atEnd) => {
      down.hidden = atEnd;
      if (atEnd) markRead();
    },
  });
  const composerOptions = {
    limit: LIMIT,
    prefix: addressing,
    complete: async (text) => (await connection.ask({ t: 'complete', text })).suggestions,
  };
  const composer = createComposer({
    ...composerOptions,
    placeholder: () => placeholder(),
    key: () => `room ${state.open}`,
    onSend: (text) => say(state.open, undefined, text),
    onEscape: escape,
  });
  const thread = createThread({
    ask: connection.ask,
    onClose: closePanel,
    onSend: (room, root, text) => say(room, root, text),
    timelineOptions: { message: { ...messageOptions, onThread: undefined }, pending },
    composerOptions,
    roomName: (id) => roomTitle(state.rooms.get(id)),
  });
  const search = createSearch({
    ask: connection.ask,
    onClose: closePanel,
    onJump: (hit) => {
      if (matchMedia('(max-width: 900px)').matches) closePanel();
      go(hit.room, hit.id);
    },
    currentRoom: () => state.open,
  });
  const sidebar = createSidebar(state, {
    onOpen: (room) => go(room),
    onPerson: async (person) => go((await connection.ask({ t: 'direct', person })).room.id),
    onBrowse: browse,
    onSwitch: switcher,
    onMenu: (button) =>
      openMenu(button, { theme: currentTheme, onTheme: setTheme, onShortcuts: openShortcuts, onSignOut: signOut }),
  });
  const banner = h('div', { class: 'banner', role: 'status', hidden: true });
  const title = h('div', { class: 'room-title' });
  const roomTools = h('div', { class: 'room-tools' });
  const down = h(
    'button',
    { type: 'button', class: 'to-end', hidden: true, onclick: toEnd },
    icon('down'),
    h('span', { text: 'To the newest' }),
  );
  const joinBar = h('div', { class: 'join-bar', hidden: true });
  const head = h(
    'header',
    { class: 'room-head' },
    iconButton('menu', 'Rooms and people', () => toggleDrawer(), { class: 'icon-button drawer-button' }),
    title,
    roomTools,
  );
  const main = h(
    'main',
    { class: 'room', 'aria-label': 'Conversation' },
    banner,
    head,
    h('div', { class: 'timeline-frame' }, timeline.element, down),
    joinBar,
    composer.element,
  );
  const shade = h('div', { class: 'shade', onclick: () => toggleDrawer(false) });
  const frame = h('div', { class: 'frame' }, sidebar.element, shade, main);
  app.replaceChildren(frame);

  // ── what comes in ──────────────────────────────────────────────────────────────────────────────────────────────────

  function take(frame) {
    switch (frame.t) {
      case 'welcome':
        return welcome(frame);
      case 'message':
        return takeMessage(frame.message);
      case 'changed':
        timeline.change(frame.message);
        thread.take(frame.message);
        return;
      case 'ack':
        pressed.get(frame.id)?.();
        pressed.delete(frame.id);
        return showPending();
      case 'refused':
        pressRefused(frame.id, frame.problem);
        return showPending();
      case 'room':
        state.rooms.set(frame.room.id, frame.room);
        sidebar.render();
        if (frame.room.id === state.open) showHead();
        return;
      case 'left': {
        const room = state.rooms.get(frame.room);
        if (room) room.joined = false;
        sidebar.render();
        if (frame.room === state.open) showHead();
        return;
      }
      case 'read': {
        const room = state.rooms.get(frame.room);
        if (room) Object.assign(room, { read: frame.read, unread: frame.unread });
        sidebar.render();
        showTitle();
        return;
      }
      case 'people':
        state.people = new Map(frame.people.map((person) => [person.id, person]));
        sidebar.render();
        showHead();
        return;
      case 'working':
        state.working.set(`${frame.room}/${frame.thread ?? ''}`, frame.on);
        return showWorking();
    }
  }

  function welcome(frame) {
    state.me = frame.me;
    state.robot = frame.robot;
    state.people = new Map(frame.people.map((person) => [person.id, person]));
    const watched = state.rooms.get(state.open);
    state.rooms = new Map(frame.rooms.map((room) => [room.id, room]));
    if (watched && !state.rooms.has(watched.id)) state.rooms.set(watched.id, { ...watched, joined: false });
    state.working.clear();
    showWorking();
    sidebar.render();
    if (!welcomed) {
      welcomed = true;
      route();
    } else void again();
    showPending();
  }

  /** After a break: what was missed, without moving the reader. */
  async function again() {
    const room = state.open;
    const shown = timeline.first();
    if (!timeline.isLive()) return;
    try {
      const answer = await connection.ask({ t: 'history', room });
      if (room !== state.open) return;
      const reader = timeline.atEnd() ? undefined : timeline.firstVisible();
      const old = answer.older && shown ? timeline.between(shown.id, answer.messages[0]?.id) : undefined;
      timeline.reset([...(old ?? []), ...answer.messages], { hasOlder: answer.older, hasNewer: false });
      if (reader !== undefined) timeline.restore(reader);
      showPending();
      const opened = thread.current();
      if (opened) await thread.show(opened.room, opened.root, false);
      markRead();
    } catch {
      // The connection broke again; the next one does it.
    }
  }

  function takeMessage(message) {
    if (message.clientId) connection.settle(message.clientId);
    const room = state.rooms.get(message.room);
    const mine = message.person.id === state.me.id;
    if (room) {
      room.last = Math.max(room.last, message.id);
      if (!mine && message.id > room.read) room.unread += 1;
      if (mine) Object.assign(room, { read: message.id, unread: 0 });
    }
    if (message.thread !== undefined) thread.take(message);
    if (message.room === state.open && message.thread === undefined) {
      timeline.add(message);
      if (mine) timeline.toEnd();
    }
    if (mine || message.clientId) showPending();
    if (!mine && message.room === state.open) markRead();
    sidebar.render();
    showTitle();
  }

  // ── rooms ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  function route() {
    const linked = linkedTo(location.hash);
    const fallback = sessionStorage.getItem('shipmate.room');
    const known = [linked?.room, state.rooms.has(fallback) ? fallback : undefined, state.robot.room].find(
      (one) => one !== undefined,
    );
    void openRoom(known, linked?.message);
  }

  function go(room, message) {
    const hash = `#/room/${encodeURIComponent(room)}${message === undefined ? '' : `/${message}`}`;
    toggleDrawer(false);
    if (location.hash === hash) void openRoom(room, message);
    else location.hash = hash;
  }

  async function openRoom(id, message) {
    const mine = ++opening;
    const changed = state.open !== id;
    state.open = id;
    composer.element.hidden = false;
    sessionStorage.setItem('shipmate.room', id);
    if (changed && thread.current()?.room !== id && panel === thread) closePanel();
    showHead();
    sidebar.render();
    composer.switched();
    if (!matchMedia('(pointer: coarse)').matches && message === undefined) composer.focus();
    if (changed) timeline.reset([], { hasOlder: false, hasNewer: false });
    showWorking();
    try {
      const answer = await connection.ask({
        t: 'history',
        room: id,
        ...(message !== undefined && { around: message }),
      });
      if (mine !== opening) return;
      state.rooms.set(answer.room.id, answer.room);
      const unreadFrom =
        message === undefined && answer.room.unread > 0
          ? answer.messages.find((one) => one.id > answer.room.read && one.person.id !== state.me.id)?.id
          : undefined;
      timeline.reset(answer.messages, { unreadFrom, hasOlder: answer.older, hasNewer: answer.newer });
      showTop(answer);
      showHead();
      showPending();
      if (message !== undefined) {
        timeline.reveal(answer.thread ?? message);
        if (answer.thread !== undefined) {
          await openThread(id, answer.thread, false);
          thread.timeline.reveal(message);
        }
      }
      down.hidden = timeline.atEnd();
      markRead();
      sidebar.render();
    } catch (error) {
      if (mine !== opening) return;
      // Where nothing can be said, nothing is to be written.
      composer.element.hidden = !state.rooms.has(id);
      timeline.top.replaceChildren(
        h(
          'div',
          { class: 'empty' },
          icon('warn'),
          h('h2', { text: error.text ?? 'That did not work.' }),
          h('p', { class: 'muted', text: error.next ?? '' }),
          h('button', {
            type: 'button',
            class: 'action',
            text: 'To the conversation with the robot',
            onclick: () => go(state.robot.room),
          }),
        ),
      );
    }
  }

  function showTop(answer) {
    const room = answer.room;
    if (answer.older)
      return timeline.top.replaceChildren(h('div', { class: 'loading muted', text: 'Loading earlier messages…' }));
    const name = room.name;
    const text = {
      robot: [`You and ${name}`, 'Every line here is a command or a question. Type help to see what you can do.'],
      direct: [
        `You and ${name}`,
        'Only the two of you see this conversation. Begin a line with / to ask the robot something here.',
      ],
      room: [
        `#${name}`,
        `The beginning of the room. Everybody may read it. Begin a line with / or @${state.robot.name.toLowerCase()} to command the robot.`,
      ],
    }[room.kind];
    timeline.top.replaceChildren(
      h(
        'div',
        { class: 'beginning' },
        h(
          'span',
          { class: 'beginning-sign' },
          room.kind === 'room' ? icon('hash') : avatar({ id: room.person ?? '', name }, room.kind === 'robot'),
        ),
        h('h2', { text: text[0] }),
        h('p', { class: 'muted', text: text[1] }),
      ),
    );
  }

  async function more(direction) {
    const room = state.open;
    const edge = direction === 'before' ? timeline.first() : timeline.last();
    if (!edge) return;
    try {
      const answer = await connection.ask({ t: 'history', room, [direction]: edge.id });
      if (room !== state.open) return;
      if (direction === 'before') {
        timeline.prepend(answer.messages, answer.older);
        showTop(answer);
      } else timeline.extend(answer.messages, answer.newer);
    } catch {
      // Scrolling again asks again.
    }
  }

  function toEnd() {
    if (timeline.isLive()) {
      timeline.toEnd();
      down.hidden = true;
    } else if (/\/\d+$/.test(location.hash)) go(state.open);
    else void openRoom(state.open);
  }

  function markRead() {
    const room = state.rooms.get(state.open);
    if (!room || !room.joined || document.visibilityState !== 'visible' || !document.hasFocus() || !timeline.atEnd())
      return;
    if (room.last <= room.read) return;
    room.read = room.last;
    room.unread = 0;
    connection.tell({ t: 'read', room: room.id, message: room.last });
    sidebar.render();
    showTitle();
  }

  function roomTitle(room) {
    return room ? (room.kind === 'room' ? `#${room.name}` : room.name) : '';
  }

  function placeholder() {
    const room = state.rooms.get(state.open);
    if (!room) return 'Message';
    if (room.kind === 'robot') return `Ask or command ${room.name}`;
    if (room.kind === 'direct') return `Message ${room.name}`;
    return `Message #${room.name}, or / for a command`;
  }

  function showHead() {
    const room = state.rooms.get(state.open);
    if (!room) return title.replaceChildren();
    const person = state.people.get(room.person);
    const sign =
      room.kind === 'room'
        ? icon('hash', 'title-hash')
        : room.kind === 'robot'
          ? avatar({ id: '', name: '' }, true)
          : personSign(person ?? { id: room.person, name: room.name, online: false });
    const online = [...state.people.values()].filter((one) => one.online).length;
    const note =
      room.kind === 'room'
        ? `${online} here`
        : room.kind === 'robot'
          ? 'Every line is for the robot'
          : person?.online
            ? 'here'
            : 'away';
    title.replaceChildren(
      sign,
      h('h1', { text: room.kind === 'direct' ? (person?.name ?? room.name) : room.name }),
      h('span', { class: 'muted room-note', text: note }),
    );
    roomTools.replaceChildren(
      room.kind === 'room' && room.joined ? iconButton('leave', 'Leave this room', leave) : '',
      iconButton('search', 'Search messages (Ctrl Shift F)', openSearch),
    );
    composer.element.hidden = !room.joined;
    joinBar.hidden = room.joined;
    if (!room.joined)
      joinBar.replaceChildren(
        h('span', {}, 'You are reading ', h('strong', { text: `#${room.name}` }), '.'),
        h('button', { type: 'button', class: 'action primary', text: 'Join the room', onclick: () => join(room.id) }),
      );
    showTitle();
  }

  function showTitle() {
    const unread = [...state.rooms.values()].filter((room) => room.joined).reduce((sum, room) => sum + room.unread, 0);
    document.title = `${unread > 0 ? `(${unread > 99 ? '99+' : unread}) ` : ''}${roomTitle(state.rooms.get(state.open))} · ${state.robot.title}`;
  }

  async function join(id) {
    const answer = await connection.ask({ t: 'join', room: id });
    state.rooms.set(id, answer.room);
    sidebar.render();
    showHead();
    if (id === state.open) composer.focus();
  }

  async function leave() {
    const answer = await connection.ask({ t: 'leave', room: state.open });
    state.rooms.set(answer.room.id, answer.room);
    sidebar.render();
    go(state.robot.room);
  }

  // ── saying and pressing ────────────────────────────────────────────────────────────────────────────────────────────

  function say(room, root, text) {
    connection.deliver({ t: 'say', id: newId(), room, ...(root !== undefined && { thread: root }), text });
    if (root === undefined && !timeline.isLive()) toEnd();
    showPending();
    timeline.toEnd();
  }

  function showPending() {
    const waiting = connection.waiting().filter((one) => one.frame.t === 'say');
    timeline.showPending(
      waiting.filter((one) => one.frame.room === state.open && one.frame.thread === undefined),
      state.me,
    );
    const opened = thread.current();
    thread.timeline.showPending(opened ? waiting.filter((one) => one.frame.thread === opened.root) : [], state.me);
  }

  function press(message, index, button) {
    const id = newId();
    button.classList.add('busy');
    button.disabled = true;
    // At least for a moment, so that it is seen and a double click presses once.
    const seen = performance.now() + 500;
    const settle = () =>
      setTimeout(
        () => {
          button.classList.remove('busy');
          button.disabled = false;
        },
        Math.max(0, seen - performance.now()),
      );
    pressed.set(id, settle);
    connection.deliver({ t: 'press', id, message: message.id, index });
  }

  function pressRefused(id, problem) {
    const settle = pressed.get(id);
    if (!settle) return;
    pressed.delete(id);
    connection.settle(id);
    settle();
    toast(`${problem.text} ${problem.next}`);
  }

  /** What addresses the robot at the beginning of the text; undefined if nothing does. */
  function addressing(text) {
    const words = [state.robot.name, ...(state.robot.alias ? [state.robot.alias] : [])].map((word) =>
      word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    );
    const named = new RegExp(`^\\s*@?(?:${words.join('|')})[:,]?\\s+`, 'i').exec(text)?.[0];
    if (named) return named;
    if (/^\/(?:[a-z]|$)/i.test(text)) return '/';
    return state.rooms.get(state.open)?.kind === 'robot' ? '' : undefined;
  }

  function showWorking() {
    const opened = thread.current();
    work(composer.status, state.working.get(`${state.open}/`));
    work(thread.composer.status, opened && state.working.get(`${opened.room}/${opened.root}`));
  }

  function work(element, on) {
    if (Boolean(element.firstChild) === Boolean(on)) return;
    element.replaceChildren(
      ...(on
        ? [
            h('span', { class: 'working' }, h('i'), h('i'), h('i')),
            h('span', { text: `${state.robot.title} is working…` }),
          ]
        : []),
    );
  }

  async function copyLink(message) {
    const link = new URL(permalink(message), location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      toast('Link copied');
    } catch {
      location.hash = new URL(link).hash;
      toast('The link is in the address bar');
    }
  }

  // ── panels, dialogs ────────────────────────────────────────────────────────────────────────────────────────────────

  function setPanel(next) {
    panel?.element.remove();
    panel = next;
    frame.classList.toggle('with-panel', Boolean(next));
    if (next) frame.append(next.element);
  }

  async function openThread(room, root, focus = true) {
    setPanel(thread);
    try {
      await thread.show(room, root, focus);
      showPending();
      showWorking();
    } catch (error) {
      closePanel();
      toast(`${error.text} ${error.next}`);
    }
  }

  function openSearch() {
    thread.close();
    setPanel(search);
    search.focus();
  }

  function closePanel() {
    thread.close();
    setPanel(undefined);
    composer.focus();
  }

  function browse() {
    void openRooms({
      load: async () => (await connection.ask({ t: 'browse' })).rooms,
      onOpen: (id) => go(id),
      onJoin: join,
      onCreate: async (name) => {
        const { room } = await connection.ask({ t: 'create', name });
        state.rooms.set(room.id, room);
        return room;
      },
    });
  }

  function switcher() {
    const rooms = [...state.rooms.values()]
      .filter((room) => room.joined && room.kind !== 'direct')
      .sort((a, b) => Number(b.unread > 0) - Number(a.unread > 0));
    const people = [...state.people.values()].filter((person) => person.id !== state.me.id);
    openSwitcher([
      ...rooms.map((room) => ({
        label: room.name,
        hint: room.unread > 0 ? `${room.unread} unread` : room.kind === 'robot' ? 'robot' : 'room',
        sign: () =>
          room.kind === 'robot'
            ? h('span', { class: 'nav-avatar' }, avatar({ id: '', name: '' }, true))
            : icon('hash', 'nav-hash'),
        run: () => go(room.id),
      })),
      ...people.map((person) => ({
        label: person.name,
        hint: person.online ? 'here' : '',
        sign: () => personSign(person),
        run: async () => go((await connection.ask({ t: 'direct', person: person.id })).room.id),
      })),
      { label: 'Browse and create rooms', hint: '', sign: () => icon('plus', 'nav-hash'), run: browse },
    ]);
  }

  function toggleDrawer(open = !frame.classList.contains('drawer')) {
    frame.classList.toggle('drawer', open);
    if (open) sidebar.element.querySelector('[aria-current]')?.focus();
  }

  function escape() {
    if (frame.classList.contains('drawer')) toggleDrawer(false);
    else if (panel) closePanel();
    else toEnd();
  }

  async function signOut() {
    connection.close();
    await post('/web/signout', {});
    location.hash = '#signed-out';
    location.reload();
  }

  let toastTimer;
  function toast(text) {
    document.querySelector('.toast')?.remove();
    document.body.append(h('div', { class: 'toast', role: 'status', text }));
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => document.querySelector('.toast')?.remove(), 4000);
  }

  // ── connection ─────────────────────────────────────────────────────────────────────────────────────────────────────

  let countdown;
  let grace;
  function showState(next) {
    clearInterval(countdown);
    clearTimeout(grace);
    state.connected = next.kind === 'open';
    if (next.kind === 'out') {
      location.hash = '#signed-out';
      location.reload();
      return;
    }
    if (next.kind === 'open') {
      if (!banner.hidden) announce('Connected again.');
      banner.hidden = true;
      return;
    }
    const show = () => {
      const seconds = next.until === undefined ? 0 : Math.ceil((next.until - Date.now()) / 1000);
      const text = next.kind === 'connecting' || seconds < 1 ? 'Reconnecting…' : `Reconnecting in ${seconds} s.`;
      banner.hidden = false;
      banner.replaceChildren(
        icon('warn'),
        h('span', { text: `The robot is not reachable. ${text} What you write is kept and sent then.` }),
        h('button', { type: 'button', class: 'link', text: 'Try now', onclick: connection.retryNow }),
      );
      sidebar.render();
    };
    if (!banner.hidden) {
      show();
      countdown = setInterval(show, 1000);
    } else if (welcomed) {
      // A short break needs no words.
      grace = setTimeout(() => {
        show();
        countdown = setInterval(show, 1000);
      }, 700);
    }
  }

  // ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  document.addEventListener('keydown', (event) => {
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      switcher();
    } else if (command && event.shiftKey && event.key.toLowerCase() === 'f') {
      event.preventDefault();
      openSearch();
    } else if (command && event.key === '/') {
      event.preventDefault();
      openShortcuts();
    } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      const links = [...sidebar.element.querySelectorAll('a.nav-item')];
      const at = links.findIndex((link) => link.dataset.room === state.open);
      const next = links[(at + (event.key === 'ArrowDown' ? 1 : -1) + links.length) % links.length];
      if (next) go(next.dataset.room);
    } else if (event.key === 'Escape' && !composer.hasFocus() && !document.querySelector('dialog[open], .menu')) {
      escape();
      composer.focus();
    } else if (
      !command &&
      !event.altKey &&
      event.key.length === 1 &&
      event.key !== ' ' &&
      !event.target.closest('input, textarea, dialog, .menu')
    ) {
      composer.focus();
    }
  });
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href]');
    if (!link || link.origin !== location.origin || !link.hash.startsWith('#/room/')) return;
    if (event.defaultPrevented || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const linked = linkedTo(link.hash);
    if (linked) go(linked.room, linked.message);
  });
  addEventListener('hashchange', route);
  addEventListener('focus', markRead);
  document.addEventListener('visibilitychange', markRead);
  void connection.connect();
}

/** The room, and perhaps the message, that a fragment such as `#/room/ops/12` leads to. */
function linkedTo(hash) {
  const [, id, message] = /^#\/room\/([^/]+)(?:\/(\d+))?$/.exec(hash) ?? [];
  if (id === undefined) return undefined;
  return { room: decodeURIComponent(id), message: message === undefined ? undefined : Number(message) };
}

function currentTheme() {
  return localStorage.getItem('shipmate.theme') ?? 'auto';
}

function setTheme(value) {
  if (value === 'auto') {
    localStorage.removeItem('shipmate.theme');
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem('shipmate.theme', value);
    document.documentElement.dataset.theme = value;
  }
}

void start();
