// Stands between the robot and a program of a service: `node guard.mjs <grace ms> <pid file> <program> [arguments…]`.
//
// It leads a process group of its own. When the robot dies, even by kill -9, its end of standard input closes; the guard
// then ends the whole group, so that no deploy goes on that nobody watches and that another one could meet. How the
// program ended is written to file descriptor 3 as JSON; the pid file stands for as long as it is at work.
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync, writeSync } from 'node:fs';

const [graceMs, pidFile, program, ...args] = process.argv.slice(2);
writeFileSync(pidFile, String(process.pid));

// The group gets these together; the guard outlives the program to tell how it ended.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined);

const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.once('error', (error) => end({ kind: 'error', code: error.code ?? 'UNKNOWN' }));
child.once('exit', (code, signal) => end(signal ? { kind: 'signal', signal } : { kind: 'exit', code }));

let orphaned = false;
process.stdin.on('end', orphan).on('close', orphan).on('error', orphan).resume();

function orphan() {
  if (orphaned) return;
  orphaned = true;
  process.kill(0, 'SIGTERM');
  setTimeout(() => process.kill(0, 'SIGKILL'), Number(graceMs));
}

function end(report) {
  try {
    writeSync(3, JSON.stringify(report));
  } catch {
    // The robot is gone; nobody wants to know.
  }
  rmSync(pidFile, { force: true });
  // What the program left running in the group goes with it when the robot is gone.
  if (orphaned) process.kill(0, 'SIGKILL');
  process.exit(0);
}
