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
  -n, --name <name>             what the robot is called (default: shipmate)
  -l, --alias <alias>           a second name, for example !
  -t, --check                   check configuration and scripts, start nothing; exit code 1 on any problem
  -h, --help                    show this
  -v, --version                 show the version

Everything else is set by environment variables and the files in config/: see docs/reference/configuration.md.
`;

/** How long everything together may take to stop, in milliseconds: hosts kill after thirty seconds. */
const STOP_MS = 25_000;
/** How long a start that is no longer wanted may take to come to where it can be stopped properly. */
const START_MS = 5_000;

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
  const { config, problems } = await loadConfig(process.cwd(), process.env, {
    ...(values.adapter === undefined ? {} : { adapter: values.adapter }),
    ...(values.name === undefined ? {} : { name: values.name }),
    ...(values.alias === undefined ? {} : { alias: values.alias }),
  });
  if (values.check || values['config-check']) return await check(config, problems.map(problemText));
  if (config) return await (command === 'migrate' ? migrate(config) : start(config));
  // The same report as for --check: whoever corrects the one wants to know of the other.
  await check(config, problems.map(problemText), 'Shipmate cannot start: ');
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        adapter: { type: 'string', short: 'a' },
        name: { type: 'string', short: 'n' },
        alias: { type: 'string', short: 'l' },
        check: { type: 'boolean', short: 't' },
        'config-check': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
  } catch (error) {
    return { problem: textOf(error) };
  }
}

async function check(config: Config | undefined, problems: readonly string[], lead = ''): Promise<void> {
  const { checkScripts } = await import('./app.ts');
  // Scripts are checked with what can be read, so that everything is reported in one go.
  const { HUBOT_SCRIPTS } = process.env;
  const usable = config ?? (await loadConfig(process.cwd(), { HUBOT_SCRIPTS, SHIPMATE_CONFIG: '/nonexistent' })).config;
  const { loaded } = usable ? await checkScripts(usable, logger('error', false)) : {};
  const all = [...problems, ...(loaded?.problems ?? []).map(scriptProblem)];
  for (const note of loaded?.notes ?? []) say(redact(`Note: ${shown(note)}\n`));
  if (all.length > 0) stop(1, `${lead}${count(all.length)}:\n\n${all.join('\n')}\n`);
  else say(`OK: the configuration and ${loaded?.scripts.length ?? 0} scripts\n`);
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
  if (config.http.open) tell(`Listening on ${app.url ?? 'nothing'}; the web chat is ${app.link ? 'on' : 'off'}`);
  else if (app.link) tell(`Web chat, for this machine:  ${app.link}`);
  else if (app.url) tell(`HTTP:  ${app.url}  (the web chat is off)`);
  if (app.hookUrl && !config.http.open) tell(`Alertmanager's webhook:      ${app.hookUrl}`);
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
