/** How long a server that has had enough wants to be left alone. */

export type Headers = Readonly<Record<string, string>>;

/** GitHub asks for at least a minute where it names no time. */
const UNNAMED_MS = 60_000;

/**
 * Milliseconds to wait, or undefined if the answer does not speak of a limit. A moment is taken by the clock of the server, where
 * the answer has its time. Sources: RFC 9110 section 10.2.3 (Retry-After);
 * docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api (403 or 429, x-ratelimit-remaining and -reset, a minute
 * otherwise); docs.gitlab.com/administration/settings/user_and_ip_rate_limits (RateLimit-Reset).
 */
export function limitWait(status: number, headers: Headers, said: string, here: Date): number | undefined {
  const there = Date.parse(headers['date'] ?? '');
  const now = Number.isNaN(there) ? here : new Date(there);
  const after = retryAfter(headers['retry-after'], now);
  if (status === 503) return after;
  if (status !== 429 && status !== 403) return undefined;
  if (after !== undefined) return after;
  const exhausted = headers['x-ratelimit-remaining'] === '0' || headers['ratelimit-remaining'] === '0';
  if (status === 403 && !exhausted && !/rate limit/i.test(said)) return undefined;
  const reset = Number(headers['x-ratelimit-reset'] ?? headers['ratelimit-reset']);
  if (!exhausted || !Number.isFinite(reset)) return UNNAMED_MS;
  return Math.max(reset * 1_000 - now.getTime(), 1_000);
}

/** Seconds or a date. */
function retryAfter(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(at - now.getTime(), 0);
}
