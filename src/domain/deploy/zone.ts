/** Clocks on walls: local time in the zones of the IANA database, as `Intl` knows them. */

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export interface LocalDay {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

export interface LocalTime extends LocalDay {
  /** 1 is Monday, 7 Sunday. */
  readonly weekday: number;
  /** Minutes since midnight on the wall. */
  readonly minute: number;
}

/** Is this a zone of the IANA database, such as `Europe/Berlin` or `UTC`? Offsets such as `+02:00` are none. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    return wall(zone) !== undefined;
  } catch {
    return false;
  }
}

const walls = new Map<string, Intl.DateTimeFormat>();

function wall(zone: string): Intl.DateTimeFormat {
  const known = walls.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  walls.set(zone, made);
  return made;
}

/** What the clock and the calendar there show at that moment. */
export function localTime(at: Date, zone: string): LocalTime {
  const parts = new Map(
    wall(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const day = { year: part('year'), month: part('month'), day: part('day') };
  return { ...day, weekday: weekdayOf(day), minute: part('hour') * 60 + part('minute') };
}

function weekdayOf({ year, month, day }: LocalDay): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7;
}

/** That many days later in the calendar. */
export function laterDay({ year, month, day }: LocalDay, days: number): LocalDay & { readonly weekday: number } {
  const later = new Date(Date.UTC(year, month - 1, day) + days * DAY_MS);
  const found = { year: later.getUTCFullYear(), month: later.getUTCMonth() + 1, day: later.getUTCDate() };
  return { ...found, weekday: weekdayOf(found) };
}

/**
 * The moment at which the clock there shows this. Of a time that comes twice in autumn, one of the two; for one that is left
 * out in spring, a moment within an hour of it.
 */
export function instantOf(day: LocalDay, minute: number, zone: string): Date {
  const wanted = Date.UTC(day.year, day.month - 1, day.day) + minute * MINUTE_MS;
  let guess = wanted;
  for (let round = 0; round < 2; round += 1) {
    const shown = localTime(new Date(guess), zone);
    guess += wanted - (Date.UTC(shown.year, shown.month - 1, shown.day) + shown.minute * MINUTE_MS);
  }
  return new Date(guess);
}

/** `2026-11-23 09:00 Europe/Berlin` */
export function inZone(at: Date, zone: string): string {
  const { year, month, day, minute } = localTime(at, zone);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)} ${two(Math.floor(minute / 60))}:${two(minute % 60)} ${zone}`;
}
