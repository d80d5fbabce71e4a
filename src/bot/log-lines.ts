/** Log lines: without secrets, and for people who watch the terminal: `12:03:04 warn  post delayed  room=ops`. */

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const HIDDEN = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg']);

/**
 * One line of pino's JSON without secrets, and still JSON: each text in it is looked at as it was before it was escaped,
 * together with the name that it has.
 */
export function withoutSecrets(line: string, redact: (text: string) => string): string {
  const entry = parse(line);
  return entry ? `${JSON.stringify(harmless('', entry, redact))}\n` : redact(line);
}

function harmless(name: string, value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return harmlessText(name, value, redact);
  if (Array.isArray(value)) return value.map((each: unknown) => harmless(name, each, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]: [string, unknown]) => [redact(key), harmless(key, each, redact)]),
  );
}

/** A name may tell what its value is, as in `{"password":"…"}`. */
function harmlessText(name: string, text: string, redact: (text: string) => string): string {
  const lead = `${name}=`;
  const named = redact(`${lead}${text}`);
  return named.startsWith(lead) ? redact(named.slice(lead.length)) : redact(text);
}

/** One line of pino's JSON as text; what is no JSON comes back as it is. */
export function readableLine(line: string): string {
  const entry = parse(line);
  if (!entry) return line;
  const time = typeof entry['time'] === 'number' ? new Date(entry['time']).toTimeString().slice(0, 8) : '';
  const level = (LEVELS[Number(entry['level'])] ?? '').padEnd(5);
  const fields = Object.entries(entry)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => `${name}=${shown(value)}`);
  return `${[time, level, shown(entry['msg'] ?? ''), ...fields].join(' ')}\n`;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'stack' in value) return `\n  ${inert(String(value.stack))}`;
  return typeof value === 'string' && !/\p{Cc}/u.test(value) ? value : inert(JSON.stringify(value));
}

/** Without what moves the cursor or colours the terminal; line ends stay. */
function inert(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, '\u{fffd}');
}
