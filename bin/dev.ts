/**
 * Restarts the robot whenever one of its files is saved: `npm run dev`.
 *
 * Folders are watched, not files: many editors, `sed -i` and `git checkout` put a new file in the place of the old one.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

/** With everything in them. Runbooks are read live. */
const FOLDERS = ['scripts', 'src', process.env['SHIPMATE_CONFIG'] ?? 'config'];
const FILES = ['external-scripts.json', 'hubot-scripts.json'];
/** One save is several events. */
const DEBOUNCE_MS = 100;
/** The robot ends by itself within 25 seconds. */
const STOP_MS = 30_000;

const program = join(import.meta.dirname, 'shipmate');
const watched = new Map<string, FSWatcher>();
let robot: ChildProcess | undefined;
let timer: NodeJS.Timeout | undefined;
let state: 'running' | 'restarting' | 'ending' = 'running';

/** A folder and those in it: each has a watcher of its own, which is told of files that are replaced. */
function watchFolder(folder: string): void {
  if (!watched.has(folder)) {
    try {
      const watcher = watch(folder, (_, name) => {
        watchFolder(folder);
        if (name === null || !isTemporary(name)) saved();
      });
      // The folder is gone.
      watcher.on('error', () => forget(folder));
      watched.set(folder, watcher);
    } catch {
      return;
    }
  }
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) watchFolder(join(folder, entry.name));
    }
  } catch {
    forget(folder);
  }
}

/** A folder that comes again under the same name is watched anew. */
function forget(folder: string): void {
  for (const [path, watcher] of watched) {
    if (path !== folder && !path.startsWith(join(folder, '/'))) continue;
    watcher.close();
    watched.delete(path);
  }
}

/** What editors write beside a file while they save it. */
function isTemporary(name: string): boolean {
  return name.startsWith('.') || name.endsWith('~') || /^(?:4913|sed\w{6})$/.test(name);
}

function saved(): void {
  if (state !== 'running') return;
  clearTimeout(timer);
  timer = setTimeout(restart, DEBOUNCE_MS);
}

function restart(): void {
  if (state !== 'running') return;
  console.error('\nSomething was saved: starting again\n');
  if (!robot) return begin();
  state = 'restarting';
  const old = robot;
  old.kill('SIGTERM');
  const patience = setTimeout(() => old.kill('SIGKILL'), STOP_MS);
  old.once('exit', () => clearTimeout(patience));
}

function begin(): void {
  state = 'running';
  robot = spawn(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  robot.once('exit', (code, signal) => {
    robot = undefined;
    if (state === 'restarting') return begin();
    // `exit` at the terminal, --help, or Ctrl-C.
    if (state === 'ending' || code === 0) process.exit(code ?? 1);
    console.error(
      `\nThe robot has ended (${signal ?? `exit code ${code}`}). The next save starts it again; Ctrl-C ends this.`,
    );
  });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    state = 'ending';
    clearTimeout(timer);
    if (!robot) process.exit(0);
    // A terminal sends Ctrl-C to both; a second one would end the robot at once.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) robot.kill(signal);
  });
}

for (const folder of FOLDERS) watchFolder(folder);
watch('.', (_, name) => {
  if (name === null || FILES.includes(name)) saved();
  // A folder that was not there at first, or was replaced.
  else if (FOLDERS.includes(name)) {
    forget(name);
    watchFolder(name);
    saved();
  }
});
begin();
