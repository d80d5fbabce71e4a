/** Times as people read them; kept up to date while they stand on the page. */

import { h } from './dom.js';

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', month: 'long', day: 'numeric' });
const dayWithYear = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'long', day: 'numeric' });
const short = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

export function ago(date, now = new Date()) {
  const seconds = Math.round((date - now) / 1000);
  if (seconds > -45) return 'just now';
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (date.toDateString() === now.toDateString()) return clock.format(date);
  if (seconds > -7 * 86400) return relative.format(-Math.max(1, calendarDays(date, now)), 'day');
  return short.format(date);
}

function calendarDays(from, to) {
  const start = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((start(to) - start(from)) / 86_400_000);
}

/** In a conversation the day stands above, so older times are those of the clock. */
function inConversation(date, now) {
  return now - date < 3_600_000 ? ago(date, now) : clock.format(date);
}

export function timeOfDay(iso) {
  return clock.format(new Date(iso));
}

export function dayName(date, now = new Date()) {
  const days = calendarDays(date, now);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return date.getFullYear() === now.getFullYear() ? day.format(date) : dayWithYear.format(date);
}

/** A `<time>`; `style` is `conversation` or `list`. */
export function timeElement(iso, style) {
  const date = new Date(iso);
  const element = h('time', { datetime: iso, title: full.format(date), 'data-style': style });
  element.textContent = format(date, style, new Date());
  return element;
}

function format(date, style, now) {
  return style === 'conversation' ? inConversation(date, now) : ago(date, now);
}

setInterval(() => {
  const now = new Date();
  for (const element of document.querySelectorAll('time[data-style]')) {
    const text = format(new Date(element.dateTime), element.dataset.style, now);
    if (text !== element.textContent) element.textContent = text;
  }
}, 20_000);
