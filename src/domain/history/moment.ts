/** Moments as people type them in a search. */

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  mo: 30 * 86_400_000,
  y: 365 * 86_400_000,
};
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAY = 86_400_000;

/**
 * `7d`, `90m`, `2w` ago; `today`, `yesterday`, `monday` (its start); `2026-11-01`, `2026-11-01T10:30`, `14:30` (the latest
 * one). In UTC. Undefined if it is none of these.
 */
export function moment(typed: string, now: Date): Date | undefined {
  const text = typed.trim().toLowerCase();
  const ago = /^(\d{1,6}(?:\.\d{1,3})?) ?(s|m|min|h|d|w|mo|y)(?:\w*)?(?: ago)?$/.exec(text);
  const unit = ago?.[2] === undefined ? undefined : UNITS[text.includes('mo') ? 'mo' : ago[2]];
  if (ago && unit !== undefined) return valid(now.getTime() - Number(ago[1]) * unit);
  const today = Math.floor(now.getTime() / DAY) * DAY;
  if (text === 'now') return now;
  if (text === 'today') return new Date(today);
  if (text === 'yesterday') return new Date(today - DAY);
  const weekday = /^(?:last )?(sun|mon|tue|wed|thu|fri|sat)[a-z]*$/.exec(text)?.[1];
  if (weekday !== undefined) {
    const back = (now.getUTCDay() - DAYS.indexOf(weekday) + 7) % 7 || 7;
    return new Date(today - back * DAY);
  }
  const clock = /^(\d{1,2}):(\d\d)$/.exec(text);
  if (clock) {
    const [hours, minutes] = [Number(clock[1]), Number(clock[2])];
    if (hours > 23 || minutes > 59) return undefined;
    const at = today + hours * 3_600_000 + minutes * 60_000;
    return new Date(at > now.getTime() ? at - DAY : at);
  }
  if (!/^\d{4}-\d\d(-\d\d([t ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(z|[+-]\d\d:?\d\d)?)?)?$/.test(text)) return undefined;
  const iso = text.replace(' ', 'T').toUpperCase();
  return valid(Date.parse(iso.includes('T') && !/(?:Z|[+-]\d\d:?\d\d)$/.test(iso) ? `${iso}Z` : iso));
}

function valid(time: number): Date | undefined {
  return Number.isFinite(time) && Math.abs(time) < 8.64e15 ? new Date(time) : undefined;
}
