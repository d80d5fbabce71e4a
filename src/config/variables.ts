/**
 * Every environment variable, typed and explained. The page docs/reference/configuration.md is made from this file, and nothing
 * else in the project reads process.env (scripts of others may).
 */

import { distance } from 'fastest-levenshtein';
import { normaliseEmail } from '../domain/people/email.ts';
import type { Problem } from './problem.ts';

type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

export interface Variable<T> {
  readonly kind: string;
  readonly summary: string;
  /** Shown in the reference; what happens when it is not set. */
  readonly fallback: string;
  readonly secret: boolean;
  parse(text: string | undefined): Result<T>;
}

interface About {
  readonly summary: string;
  readonly fallback?: string;
  readonly secret?: boolean;
}

function variable<T>(kind: string, about: About, parse: (text: string) => Result<T>): Variable<T | undefined>;
function variable<T>(kind: string, about: About, parse: (text: string) => Result<T>, initial: T): Variable<T>;
function variable<T>(
  kind: string,
  about: About,
  parse: (text: string) => Result<T>,
  initial?: T,
): Variable<T | undefined> {
  return {
    kind,
    summary: about.summary,
    fallback: about.fallback ?? (initial === undefined ? 'not set' : `\`${String(initial)}\``),
    secret: about.secret ?? false,
    parse: (text) => (text === undefined || text.trim() === '' ? { ok: true, value: initial } : parse(text.trim())),
  };
}

const text = (value: string): Result<string> => ({ ok: true, value });

function integer(min: number, max: number): (value: string) => Result<number> {
  return (value) => {
    const number = Number(value);
    return /^\d+$/.test(value) && number >= min && number <= max
      ? { ok: true, value: number }
      : { ok: false, message: `must be a whole number from ${min} to ${max}` };
  };
}

function yesNo(value: string): Result<boolean> {
  if (/^(true|yes|on|1)$/i.test(value)) return { ok: true, value: true };
  if (/^(false|no|off|0)$/i.test(value)) return { ok: true, value: false };
  return { ok: false, message: 'must be true or false' };
}

function choice<const V extends string>(values: readonly V[]): (value: string) => Result<V> {
  return (value) => {
    const found = values.find((each) => each === value.toLowerCase());
    return found === undefined
      ? { ok: false, message: `must be one of ${values.join(', ')}` }
      : { ok: true, value: found };
  };
}

function address(protocols: readonly string[]): (value: string) => Result<string> {
  return (value) => {
    const schemes = protocols.map((protocol) => `${protocol}//`).join(' or ');
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
      return { ok: false, message: `must be an address that starts with ${schemes}` };
    }
    return { ok: true, value };
  };
}

function emailAddress(value: string): Result<string> {
  const email = normaliseEmail(value);
  return email === undefined
    ? { ok: false, message: 'must be one e-mail address, such as bob@example.com' }
    : { ok: true, value: email };
}

/** As Express takes it: bytes, or with a unit. */
function size(value: string): Result<string> {
  return /^\d+$|^\d+(\.\d+)? ?[kmg]b$/i.test(value)
    ? { ok: true, value }
    : { ok: false, message: 'must be a size such as 100kb, 2mb or 500000' };
}

/** Passed on as it is: pg reads the variable itself, and knows exactly these words. */
function sslMode(value: string): Result<string> {
  const modes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];
  return modes.includes(value)
    ? { ok: true, value }
    : { ok: false, message: `must be one of ${modes.join(', ')}, in small letters` };
}

/** Slack's tokens say by their beginning what they are: https://docs.slack.dev/authentication/tokens. */
function slackToken(prefix: string): (value: string) => Result<string> {
  return (value) =>
    value.startsWith(prefix)
      ? { ok: true, value }
      : { ok: false, message: `must be a token that begins with ${prefix}` };
}

/** Shown by whoever comes in: long enough not to be guessed. */
function token(value: string): Result<string> {
  return value.length >= 16 ? { ok: true, value } : { ok: false, message: 'must have at least 16 characters' };
}

const list = (value: string): Result<readonly string[]> => ({
  ok: true,
  value: value
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean),
});

export const variables = {
  HUBOT_NAME: variable('text', { summary: 'Name by which the robot is addressed' }, text, 'shipmate'),
  HUBOT_ALIAS: variable('text', { summary: 'Second name, for example `!`' }, text),
  HUBOT_ADAPTER: variable(
    'text',
    {
      summary:
        'Chat: `web`, `slack`, `shell`, or the package name of any Hubot adapter; several with commas, the main one first',
      fallback: '`web`, or the adapter in `HUBOT_FILE`',
    },
    text,
  ),
  HUBOT_FILE: variable(
    'path',
    { summary: 'File of an adapter that is not a package; it is called as the file is' },
    text,
  ),
  HUBOT_SCRIPTS: variable(
    'list',
    { summary: 'More script files or folders, separated by commas', fallback: 'none' },
    list,
    [],
  ),
  HUBOT_HTTPD: variable(
    'yes or no',
    { summary: 'Whether to listen on HTTP at all; the web chat and hooks need it' },
    yesNo,
    true,
  ),
  HUBOT_LOG_LEVEL: variable(
    'choice',
    {
      summary:
        'How much is logged: trace, debug, info, warn, error, fatal, silent; in a conversation at a terminal, warn unless set',
    },
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'info',
  ),
  HUBOT_SHELL_USER_ID: variable('text', { summary: 'Who you are in the shell chat: id' }, text, '1'),
  HUBOT_SHELL_USER_NAME: variable('text', { summary: 'Who you are in the shell chat: name' }, text, 'Shell'),
  HUBOT_SHELL_USER_EMAIL: variable(
    'text',
    {
      summary: 'Who you are in the shell chat: the e-mail address that you have in other chats',
      fallback: 'linked with nobody',
    },
    emailAddress,
  ),
  HUBOT_SHELL_HISTSIZE: variable(
    'number',
    { summary: 'Lines of input that the shell chat remembers; 0 for none' },
    integer(0, 100_000),
    1024,
  ),
  PORT: variable(
    'number',
    {
      summary: 'Port of HTTP; setting it also opens the address to all (see `BIND_ADDRESS`) when `DYNO` is set',
      fallback: '8080, or the next free one up to 8089',
    },
    integer(0, 65_535),
  ),
  EXPRESS_PORT: variable('number', { summary: 'As `PORT`; wins over it' }, integer(0, 65_535)),
  BIND_ADDRESS: variable(
    'text',
    { summary: 'Address that HTTP listens on', fallback: '`127.0.0.1`; `0.0.0.0` when `PORT` and `DYNO` are set' },
    text,
  ),
  EXPRESS_BIND_ADDRESS: variable('text', { summary: 'As `BIND_ADDRESS`; wins over it' }, text),
  EXPRESS_USER: variable(
    'text',
    { summary: 'Asks for this user by basic authentication on the routes of scripts' },
    text,
  ),
  EXPRESS_PASSWORD: variable('text', { summary: 'Password for `EXPRESS_USER`', secret: true }, text),
  EXPRESS_STATIC: variable('path', { summary: 'Folder whose files are served' }, text),
  EXPRESS_LIMIT: variable(
    'size',
    { summary: 'Largest body for the routes of scripts, such as `100kb` or `2mb`; bytes without a unit' },
    size,
    '100kb',
  ),
  EXPRESS_PARAMETER_LIMIT: variable(
    'number',
    { summary: 'Most form fields for the routes of scripts' },
    integer(1, 100_000),
    1000,
  ),
  DYNO: variable(
    'text',
    { summary: 'Set by Heroku-style hosts; together with `PORT` it makes HTTP listen on all addresses' },
    text,
  ),
  DATABASE_URL: variable(
    'address',
    { summary: 'PostgreSQL server', fallback: 'an embedded database in `SHIPMATE_DATA`', secret: true },
    address(['postgres:', 'postgresql:']),
  ),
  PGSSLMODE: variable(
    'choice',
    {
      summary:
        'Encryption to the server of `DATABASE_URL`, unless `sslmode` is said there: disable, require (checks the certificate), verify-full, no-verify',
      fallback: 'not encrypted',
    },
    sslMode,
  ),
  REDIS_URL: variable(
    'address',
    {
      summary: 'Redis for the brain of scripts; a prefix may follow as path or hash',
      fallback: 'the brain is kept in the database',
      secret: true,
    },
    address(['redis:', 'rediss:']),
  ),
  SHIPMATE_DATA: variable('path', { summary: 'Folder of the embedded database and other files' }, text, 'data'),
  SHIPMATE_CONFIG: variable('path', { summary: 'Folder of the YAML files' }, text, 'config'),
  SHIPMATE_RUNBOOKS: variable('path', { summary: 'Folder of the runbooks' }, text, 'runbooks'),
  SHIPMATE_PUBLIC_URL: variable(
    'address',
    {
      summary: 'Address under which people and services reach the robot, for links',
      fallback: 'the address it listens on',
    },
    address(['http:', 'https:']),
  ),
  SHIPMATE_WEB: variable(
    'yes or no',
    { summary: 'Whether the web chat is on', fallback: 'on for this machine; off on a public address' },
    yesNo,
  ),
  SHIPMATE_WEB_TOKEN: variable(
    'text',
    {
      summary: 'Token that opens the web chat; needed on a public address, at least 16 characters',
      fallback: 'made at the first start',
      secret: true,
    },
    token,
  ),
  SHIPMATE_HOOK_TOKEN: variable(
    'text',
    {
      summary: 'Token that senders of hooks show; at least 16 characters',
      fallback: 'made at the first start',
      secret: true,
    },
    token,
  ),
  SHIPMATE_GITHUB_SECRET: variable(
    'text',
    {
      summary: 'Secret of the webhooks of GitHub, which sign with it; at least 16 characters',
      fallback: 'hooks of GitHub are not taken',
      secret: true,
    },
    token,
  ),
  SHIPMATE_GITLAB_TOKEN: variable(
    'text',
    {
      summary: 'Secret token of the webhooks of GitLab; at least 16 characters',
      fallback: 'see `SHIPMATE_GITLAB_SIGNING_TOKEN`; without both, hooks of GitLab are not taken',
      secret: true,
    },
    token,
  ),
  SHIPMATE_GITLAB_SIGNING_TOKEN: variable(
    'text',
    {
      summary: 'Signing token of the webhooks of GitLab; once it is set, hooks without a signature are refused',
      fallback: 'signatures of GitLab are not asked for',
      secret: true,
    },
    token,
  ),
  SHIPMATE_JENKINS_TOKEN: variable(
    'text',
    {
      summary: 'Token that the hooks of Jenkins show; at least 16 characters',
      fallback: '`SHIPMATE_HOOK_TOKEN`',
      secret: true,
    },
    token,
  ),
  SHIPMATE_HISTORY_DAYS: variable(
    'number',
    { summary: 'Days after which messages are deleted', fallback: 'messages are kept' },
    integer(1, 36_500),
  ),
  SHIPMATE_RATE_LIMIT: variable(
    'number',
    { summary: 'Commands that one person may run in a minute, on each replica' },
    integer(1, 1_000_000),
    60,
  ),
  SLACK_BOT_TOKEN: variable(
    'text',
    { summary: "Slack: the app's bot token, `xoxb-…`; needed with the adapter `slack`", secret: true },
    slackToken('xoxb-'),
  ),
  SLACK_APP_TOKEN: variable(
    'text',
    {
      summary:
        'Slack: the app-level token, `xapp-…`; with it events come in by Socket Mode, without any public address',
      secret: true,
    },
    slackToken('xapp-'),
  ),
  SLACK_SIGNING_SECRET: variable(
    'text',
    { summary: 'Slack: the signing secret; with it events come in by HTTP at `/slack/events`', secret: true },
    text,
  ),
  SLACK_API_URL: variable(
    'address',
    { summary: 'Slack: another address of the Web API, for trying things out', fallback: "Slack's own" },
    address(['http:', 'https:']),
  ),
  OPENAI_API_KEY: variable(
    'text',
    { summary: 'Key of the model that words answers', fallback: 'answers are the passages themselves', secret: true },
    text,
  ),
  OPENAI_BASE_URL: variable(
    'address',
    { summary: 'Address of any server that speaks the same protocol', fallback: "OpenAI's own" },
    address(['http:', 'https:']),
  ),
  OPENAI_MODEL: variable('text', { summary: 'Which model' }, text, 'gpt-5-mini'),
} satisfies Record<string, Variable<unknown>>;

type ValueOf<V> = V extends Variable<infer T> ? T : never;
export type VariableValues = { readonly [K in keyof typeof variables]: ValueOf<(typeof variables)[K]> };

/** Reads all variables. Problems name the variable and never show the value of a secret. */
export function readVariables(env: Readonly<Record<string, string | undefined>>): {
  readonly values: VariableValues;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { parse, secret }] of Object.entries<Variable<unknown>>(variables)) {
    const result = parse(env[name]);
    if (result.ok) {
      values[name] = result.value;
      continue;
    }
    const shown = secret ? '' : ` (it is "${env[name] ?? ''}")`;
    problems.push({ file: 'environment', key: name, message: `${result.message}${shown}` });
    const unset = parse(undefined);
    values[name] = unset.ok ? unset.value : undefined;
  }
  for (const name of Object.keys(env)) {
    if (!name.startsWith('SHIPMATE_') || name in variables) continue;
    const [near] = Object.keys(variables).sort((a, b) => distance(name, a) - distance(name, b));
    problems.push({
      file: 'environment',
      key: name,
      message: `there is no such variable; did you mean ${near ?? ''}?`,
    });
  }
  // Every name of `variables` has been given the value that its own parser returned.
  return { values: values as VariableValues, problems };
}
