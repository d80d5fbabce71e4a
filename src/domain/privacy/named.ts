/** Values that somebody called a password, a token, a key: `API_KEY=…`, `"clientSecret": "…"`, `the password is …`. */

import { isPassword, isToken } from './plausible.ts';
import type { Secret } from './redact.ts';

type Sort = 'password' | 'token';

/** Where a name may stand. What is around it decides whether it is one. */
const TELLING = /pass|pwd|secret|token|credential|key|auth|cookie|session|login|jwt|access[-_.]?id/gi;
const NAME_LENGTH = 64;
const ASSIGNED =
  /[ \t]{0,40}(?:\\?["'`]|[)\]*]){0,3}[ \t]{0,40}(?:={1,2}>|->|\?=|:{0,4}=(?!=)|:(?!\/\/)|(?:is|was|are|lautet)(?=[ \t])|>)[ \t]{0,40}/y;
const ARGUMENT = /["'][ \t]{0,8},[ \t]{0,8}(?=["'])/y;
const QUOTED = /(?:[A-Za-z]{0,2})(\\?["'`])((?:(?!\1)[^\n\r]){1,4096})\1/y;
const BARE = /[^\s"'`<>,;&|\\]{1,4096}/y;

const PASSWORDS = new Set([
  'password',
  'passwords',
  'passwd',
  'passwort',
  'passphrase',
  'passcode',
  'pass',
  'pwd',
  'pw',
]);
const TOKENS = new Set([
  'secret',
  'token',
  'tokens',
  'credential',
  'credentials',
  'apikey',
  'apitoken',
  'authkey',
  'accesskey',
  'secretkey',
  'privatekey',
  'jwt',
  'apisecret',
  'clientsecret',
  'accesstoken',
  'authtoken',
  'sessionid',
  'sessid',
  'sid',
]);
/** Before `key`: then it is a secret one, not a key of a map. */
const KEY_OF = new Set([
  'api',
  'access',
  'private',
  'secret',
  'encryption',
  'encrypt',
  'signing',
  'account',
  'shared',
  'master',
  'deploy',
  'license',
  'licence',
  'service',
  'app',
  'application',
  'storage',
  'consumer',
  'integration',
  'routing',
  'admin',
  'user',
  'client',
  'webhook',
  'subscription',
  'ingest',
  'ingestion',
  'ssh',
  'token',
  'session',
  'hmac',
  'developer',
  'dev',
  'server',
  'instance',
  'write',
  'read',
  'deployment',
  'personal',
  'root',
  'host',
  'agent',
]);
/** Their keys and logins are rights. */
const VENDORS = new Set(
  'hubspot sonar snyk okta datadog pagerduty opsgenie cloudflare stripe sendgrid twilio mailgun newrelic grafana sentry algolia openai anthropic aws azure github gitlab slack jira'.split(
    ' ',
  ),
);
/** As the last word: then the value is about the secret, and none itself. */
const ABOUT = new Set([
  'id',
  'name',
  'names',
  'type',
  'types',
  'expiry',
  'expires',
  'expiration',
  'expired',
  'path',
  'file',
  'dir',
  'url',
  'uri',
  'endpoint',
  'count',
  'length',
  'len',
  'size',
  'ttl',
  'ref',
  'arn',
  'version',
  'policy',
  'hint',
  'field',
  'label',
  'status',
  'kind',
  'scope',
  'scopes',
  'at',
  'age',
  'limit',
  'usage',
  'budget',
  'used',
  'store',
  'manager',
  'provider',
  'service',
  'mount',
  'rotation',
  'enabled',
  'required',
  'error',
  'method',
  'prefix',
  'format',
  'class',
  'env',
  'var',
  'host',
  'user',
  'username',
  'algorithm',
  'alg',
  'public',
  'fingerprint',
  'index',
  'regex',
  'pattern',
  'validator',
  'ring',
  'code',
]);
/** A token of these is a place in a list or a form, not a right. */
const HARMLESS = new Set([
  'next',
  'page',
  'continuation',
  'continue',
  'sync',
  'resume',
  'public',
  'max',
  'min',
  'total',
  'num',
  'prompt',
  'completion',
  'primary',
  'foreign',
  'partition',
  'sort',
  'cache',
  'csrf',
  'xsrf',
  'csrfmiddleware',
  'idempotency',
  'dedup',
  'group',
]);

/** So many values within one another are looked at whole; of further ones only the beginning, or a long chain would cost minutes. */
const CHAINED = 16;
const BEGINNING = /[^\s"'`<>,;&|\\]{1,64}/y;

export function namedSecrets(text: string): Secret[] {
  const found: Secret[] = [];
  let chain = { end: 0, length: 0 };
  TELLING.lastIndex = 0;
  for (let hit = TELLING.exec(text); hit; hit = TELLING.exec(text)) {
    const [from, to] = nameAround(text, hit.index, TELLING.lastIndex);
    TELLING.lastIndex = to;
    ASSIGNED.lastIndex = to;
    const assigned = ASSIGNED.exec(text) ?? argument(text, to);
    if (!assigned) continue;
    const name = text.slice(from, to);
    const sort = sortOf(name, spokenBefore(text, from));
    if (!sort) continue;
    const at = to + assigned[0].length;
    chain = { ...chain, length: at < chain.end ? chain.length + 1 : 0 };
    const value = valueAt(text, at, chain.length > CHAINED ? BEGINNING : BARE);
    if (!value) continue;
    chain.end = Math.max(chain.end, value.end);
    const operator = assigned[0].trim();
    if (operator.endsWith('>') && !operator.endsWith('=>') && !operator.endsWith('->') && text[from - 1] !== '<')
      continue;
    if (isSecret(value, sort, operator, text)) {
      const end = chain.length > CHAINED ? Math.max(value.end, valueAt(text, at, BARE)?.end ?? 0) : value.end;
      found.push({ kind: sort, start: value.start, end });
      TELLING.lastIndex = end;
    }
  }
  return found;
}

/** `setHeader("X-Api-Key", "…")`: a quoted name, then a quoted value. */
function argument(text: string, at: number): RegExpExecArray | null {
  ARGUMENT.lastIndex = at;
  return ARGUMENT.exec(text);
}

interface Value {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

function isSecret(value: Value, sort: Sort, operator: string, text: string): boolean {
  if (sort === 'token') return isToken(value.text, value.quoted) && !(operator.includes(',') && !/\d/.test(value.text));
  if (operator.includes(',')) return isPassword(value.text, true);
  if (value.quoted) return isPassword(value.text, false) && !/^\s|\s$|\s\S+\s/.test(value.text);
  const assigns = operator.includes('=') || operator.endsWith('>') || /["'`]/.test(operator);
  if (assigns) return isPassword(value.text, false);
  // `password: …` says it in configuration, where nothing follows; in running text an ordinary word may follow.
  const last = operator.endsWith(':') && /^[ \t]*(?:[\r\n#]|$)/.test(text.slice(value.end, value.end + 40));
  return isPassword(value.text, !last);
}

function nameAround(text: string, hitFrom: number, hitTo: number): [number, number] {
  let from = hitFrom;
  let to = hitTo;
  while (from > 0 && hitFrom - from < NAME_LENGTH && isNameCode(text.charCodeAt(from - 1))) from--;
  while (to < text.length && to - hitTo < NAME_LENGTH && isNameCode(text.charCodeAt(to))) to++;
  return [from, to];
}

/** Letters, digits, `_`, `-`, `.` */
function isNameCode(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 45 ||
    code === 46
  );
}

/** In `api key: …` the word before the name belongs to it. */
function spokenBefore(text: string, from: number): string {
  return /([A-Za-z]{2,16}) $/.exec(text.slice(Math.max(0, from - 18), from))?.[1] ?? '';
}

function sortOf(name: string, before: string): Sort | undefined {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/\d+$/, ''))
    .filter((word) => word);
  const last = words.at(-1);
  // Half of a pair that opens something, as `AWS_ACCESS_KEY_ID`.
  if (/access[-_.]?(?:key[-_.]?)?id$/i.test(name)) return 'token';
  if (last === undefined || ABOUT.has(last) || words.some((word) => HARMLESS.has(word))) return undefined;
  if (words.some((word) => PASSWORDS.has(word) || /(?:password|passwd|passphrase|pwd)$/.test(word))) return 'password';
  if (words.some((word) => TOKENS.has(word) || /(?:secret|token|apikey|accesskey|secretkey)$/.test(word)))
    return 'token';
  if (last === 'auth') return 'token';
  const key = words.lastIndexOf('key');
  if (key > 0 && words.slice(0, key).some((word) => KEY_OF.has(word))) return 'token';
  if (key === 0 && KEY_OF.has(before.toLowerCase())) return 'token';
  if ((key > 0 || last === 'login') && words.some((word) => VENDORS.has(word))) return 'token';
  // SOMEVENDOR_KEY in the way of environment variables.
  if (key > 0 && /^[A-Z0-9_]+$/.test(name) && key === words.length - 1) return 'token';
  return undefined;
}

function valueAt(text: string, at: number, unquoted: RegExp): Value | undefined {
  QUOTED.lastIndex = at;
  const quoted = QUOTED.exec(text);
  const inner = quoted?.[2];
  if (quoted && inner !== undefined) {
    const end = QUOTED.lastIndex - (quoted[1]?.length ?? 1);
    return { text: inner, start: end - inner.length, end, quoted: true };
  }
  unquoted.lastIndex = at;
  const bare = unquoted.exec(text)?.[0];
  if (bare === undefined) return undefined;
  const trimmed = bare.replace(/[.,:!?)\]}]{1,3}$/, '');
  if (!trimmed) return undefined;
  return { text: trimmed, start: at, end: at + trimmed.length, quoted: false };
}
