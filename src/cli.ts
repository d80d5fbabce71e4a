/** The command line: reads it, the configuration, and starts, checks or migrates. */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import type { App } from './app.ts';
import type { LoadProblem } from './bot/load-problem.ts';
import { readableLine, withoutSecrets } from './bot/log-lines.ts';
import { type Config, loadConfig } from './config/config.ts';
import { problemText } from './config/problem.ts';
import { redact } from './domain/privacy/redact.ts';

const HELP = `Usage: shipmate [command] [options]

  shipmate                      start the robot
  shipmate migrate              bring the tables of the database up to date, and end

Options:
  -a, --adapter <name>          the chat: web (default), shell, or the package of any Hubot adapter;
                                several with commas, the main one first
  -f, --file <file>             the chat is the Hubot adapter in this file
  -n, --name <name>             what the robot is called (default: shipmate)
  -l, --alias <alias>           a second name, for example !
  -r, --require <path>          one more script, or folder of scripts; may be given several times
  -d, --disable-httpd           do not listen on HTTP
  -t, --check                   check configuration and scripts, start nothing; exit code 1 on any problem
  -h, --help                    show this
  -v, --version                 show the version

Hubot's -e (--execute) and -c (--create) are not here: pipe the line into shipmate --adapter shell;
copy this project, and write scripts with npm run new -- <name>.

Everything else is set by environment variables and the files in config/: see docs/reference/configuration.md.
`;

/** How long everything together may take to stop, in milliseconds: hosts kill after thirty seconds. */
const STOP_MS = 25_000;
/** How long a start that is no longer wanted may take to come to where it can be stopped properly. */
const START_MS = 5_000;

/** Hubot's switches that are not here, and what to do instead. */
const NOT_HERE: Readonly<Record<string, string>> = {
  execute: 'There is no --execute: pipe the line in, as in: echo help | shipmate --adapter shell',
  create: 'There is no --create: copy this project; npm run new -- <name> writes a script to begin with',
};

const root = resolve(import.meta.dirname, '..');

/** Runs the program. Sets the exit code; returns when the robot has ended. */
export async function main(args: readonly string[]): Promise<void> {
  // Whoever read our output may be gone: without this, each line that cannot be written is an error that is logged, without end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const parsed = parse(args);
  if ('problem' in parsed) return stop(2, `${parsed.problem}\n\n${HELP}`);
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  if (values.help) return say(HELP);
  if (values.version) return say(`${version()}\n`);
  if (rest.length > 0 || (command !== undefined && command !== 'migrate')) {
    return stop(2, `I know no command "${positionals.join(' ')}".\n\n${HELP}`);
  }
  const { config, readable, problems } = await loadConfig(process.cwd(), process.env, {
    ...(values.adapter === undefined ? {} : { adapter: values.adapter }),
    ...(values.name === undefined ? {} : { name: values.name }),
    ...(values.alias === undefined ? {} : { alias: values.alias }),
    ...(values.file === undefined ? {} : { file: values.file }),
    ...(values['disable-httpd'] === undefined ? {} : { disableHttpd: values['disable-httpd'] }),
    ...(values.require === undefined ? {} : { scripts: values.require }),
  });
  if (values.check || values['config-check']) return await check(readable, problems.map(problemText));
  if (config && command === 'migrate') return await migrate(config);
  if (config) return await start(config);
  // The same report as for --check: whoever corrects the one wants to know of the other.
  await check(readable, problems.map(problemText), 'Shipmate cannot start: ');
}

function parse(args: readonly string[]) {
  try {
    const parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        adapter: { type: 'string', short: 'a' },
        name: { type: 'string', short: 'n' },
        alias: { type: 'string', short: 'l' },
        file: { type: 'string', short: 'f' },
        require: { type: 'string', short: 'r', multiple: true },
        'disable-httpd': { type: 'boolean', short: 'd' },
        execute: { type: 'boolean', short: 'e' },
        create: { type: 'boolean', short: 'c' },
        check: { type: 'boolean', short: 't' },
        'config-check': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
    const absent = Object.entries(NOT_HERE).find(([name]) => name in parsed.values);
    return absent ? { problem: absent[1] } : parsed;
  } catch (error) {
    return { problem: textOf(error) };
  }
}

/** Reports everything that is wrong. Scripts are loaded with what could be read, so that it is all in one go. */
async function check(readable: Config, problems: readonly string[], lead = ''): Promise<void> {
  const { checkScripts } = await import('./app.ts');
  const loaded = await checkScripts(readable, logger('error', false));
  const all = [...problems, ...loaded.problems.map(scriptProblem)];
  for (const note of loaded.notes) say(redact(`Note: ${shown(note)}\n`));
  if (all.length > 0) stop(1, `${lead}${count(all.length)}:\n\n${all.join('\n')}\n`);
  else say(`OK: the configuration and ${loaded.scripts.length} scripts\n`);
  // Packages may have left timers behind.
  process.exit();
}

async function migrate(config: Config): Promise<void> {
  const { migrateDatabase } = await import('./app.ts');
  try {
    const applied = await migrateDatabase(config, logger('warn', true));
    say(applied.length > 0 ? `Applied ${applied.join(', ')}\n` : 'The tables are up to date\n');
  } catch (error) {
    stop(1, `${textOf(error)}\n`);
  }
}

async function start(config: Config): Promise<void> {
  const began = performance.now();
  const pipe = config.chats.includes('shell') && !process.stdin.isTTY;
  const talking = config.chats.includes('shell') && process.stdin.isTTY && process.stdout.isTTY;
  // In the middle of a conversation, lines about what goes well are only in the way.
  const quiet = talking && config.environment['HUBOT_LOG_LEVEL'] === undefined;
  const log = logger(quiet ? 'warn' : config.variables.HUBOT_LOG_LEVEL, true);
  const tell = (text: string) => void (pipe || process.stderr.write(`${text}\n`));
  tell(`Shipmate ${version()}`);
  const { ScriptsFailed, startApp } = await import('./app.ts');
  const { checkAdapters } = await import('./chats.ts');
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      tell('finishing what is under way');
      stopping.abort();
      process.once(signal, () => process.exit(130));
    });
  }
  // A script's own timer that throws must not take the robot of a whole team down.
  process.on('uncaughtException', (error) => log.error({ err: error }, 'a script threw an error that nobody caught'));
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a script did not handle an error'));
  // Before anything is opened, and together with whatever else is wrong.
  if ((await checkAdapters(config)).length > 0) return await check(config, [], 'Shipmate cannot start: ');
  let app: App;
  try {
    const starting = startApp({
      config,
      version: version(),
      log,
      input: process.stdin,
      output: process.stdout,
      progress: (text) => tell(`  ${text}`),
    });
    const started = await Promise.race([starting, aborted(stopping.signal)]);
    // Told to stop before it was ready: if the start hangs, nobody waits for it.
    app = started ?? (await Promise.race([starting, over(START_MS)]));
  } catch (error) {
    log.debug({ err: error }, 'start failed');
    const problems = error instanceof ScriptsFailed ? error.problems.map(scriptProblem) : [textOf(error)];
    stop(1, `Shipmate cannot start: ${count(problems.length)}:\n\n${problems.join('\n')}\n`);
    process.exit();
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  tell(`  ready after ${seconds} s\n`);
  // On a public address these lines end in somebody's log collection: no token in them.
  const reachable = config.http.open || config.variables.SHIPMATE_PUBLIC_URL !== undefined;
  if (reachable) tell(`Listening on ${publicAddress(config, app.url)}${app.link ? '; the web chat is on' : ''}`);
  else if (app.link) tell(`Web chat, for this machine:  ${app.link}`);
  else if (app.url) tell(`HTTP:  ${app.url}`);
  if (app.hookUrl && !reachable) tell(`Alertmanager's webhook:      ${app.hookUrl}`);
  if (config.chats.includes('web') && !config.webChat) tell(webOff(config));
  tell(talking ? '' : 'Stop it with Ctrl-C.\n');
  if (talking) await app.greetTerminal();
  await Promise.race([app.ended, aborted(stopping.signal)]);
  await Promise.race([app.stop(), over(STOP_MS)]);
  process.exit();
}

/** What is not done by now is taken up at the next start. */
async function over(ms: number): Promise<never> {
  await delay(ms, undefined, { ref: false });
  process.stderr.write('It takes too long; ending now. What was under way is taken up at the next start.\n');
  process.exit(1);
}

/** What to reach it by from other machines. */
function publicAddress({ http, variables }: Config, url: string | undefined): string {
  if (url === undefined) return 'nothing';
  const { port } = new URL(url);
  const host = http.host.includes(':') ? `[${http.host}]` : http.host;
  return [`${host}:${port || '80'}`, ...(variables.SHIPMATE_PUBLIC_URL ? [variables.SHIPMATE_PUBLIC_URL] : [])].join(
    ', ',
  );
}

function webOff({ chats, http }: Config): string {
  const alone = chats.length === 1 ? 'Warning: nobody can talk to the robot. ' : '';
  if (!http.enabled) return `${alone}The web chat is off: it needs HTTP (HUBOT_HTTPD=true)`;
  const how = http.open
    ? 'switch it on with SHIPMATE_WEB=true, SHIPMATE_WEB_TOKEN and SHIPMATE_PUBLIC_URL (docs/guide/hosting.md)'
    : 'switch it on with SHIPMATE_WEB=true';
  return `${alone}The web chat is off: ${how}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Logs go to standard error, without secrets: JSON for programs, readable lines for a terminal. */
function logger(level: string, toPeople: boolean) {
  const readable = toPeople && process.stderr.isTTY;
  return pino(
    { level, base: null },
    {
      write: (line: string) => {
        const harmless = withoutSecrets(line, redact);
        process.stderr.write(readable ? readableLine(harmless) : harmless);
      },
    },
  );
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}

function say(text: string): void {
  process.stdout.write(text);
}

function stop(code: number, text: string): void {
  process.exitCode = code;
  // Errors of drivers may hold the addresses that they were given, with the passwords.
  process.stderr.write(redact(text));
}

function scriptProblem({ file, line, cause, next }: LoadProblem): string {
  return `${shown(file)}${line ? `:${line}` : ''}: ${cause}; ${next}`;
}

function shown(path: string): string {
  return path.replace(`${process.cwd()}/`, '');
}

function count(problems: number): string {
  return problems === 1 ? '1 problem' : `${problems} problems`;
}

/** What an error says, and what to do now if it knows. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'next' in error && typeof error.next === 'string' ? `${error.message}; ${error.next}` : error.message;
}
