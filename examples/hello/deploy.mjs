// Deploys a release of the sample service: installs it, starts it beside the live one and asks for its health, switches,
// asks once more through the live link, and switches back if that fails. Killed at any point, one release stays live.
//
// The lines that begin with `::` tell the robot how far it is; see docs/guide/targets/command.md.
import { spawn } from 'node:child_process';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fail, live, placeOf, switchTo } from './place.mjs';

const [environment, version] = process.argv.slice(2);
const place = placeOf(environment);
if (!/^[a-z0-9][a-z0-9._-]*$/i.test(version ?? '')) fail('usage: deploy.mjs <environment> <version>');
const source = new URL(`releases/${version}/`, import.meta.url);
const installed = join(place, 'releases', version);

step(5, 'Clearing up');
await clear();
const before = await live(place);
console.log(`live in ${environment}: ${before?.version ?? 'nothing'}`);

step(20, `Installing ${version}`);
const incoming = join(place, `.incoming-${process.pid}`);
await mkdir(join(place, 'releases'), { recursive: true });
await cp(source, incoming, { recursive: true, errorOnExist: true }).catch((error) => fail(`release ${version}: ${error.message}`));
if (before?.version !== version) {
  await rm(installed, { recursive: true, force: true });
  await rename(incoming, installed);
} else await rm(incoming, { recursive: true, force: true });

step(45, `Starting ${version} and checking its health`);
await healthy(installed).catch((error) => fail(error.message));

step(75, `Switching ${environment} to ${version}`);
await switchTo(place, version);

step(90, 'Checking the health of what is live');
try {
  await healthy(join(place, 'current'));
} catch (error) {
  if (before) await switchTo(place, before.version);
  else await rm(join(place, 'current'), { force: true });
  fail(`${error.message}; switched back to ${before?.version ?? 'nothing'}`);
}
step(100, 'Done');
console.log(`${version} is live in ${environment}`);

function step(percent, text) {
  console.log(`::progress ${percent}`);
  console.log(`::step ${text}`);
}

/** Leftovers of a deploy that was killed. */
async function clear() {
  const names = await readdir(place).catch(() => []);
  const leftovers = names.filter((name) => name.startsWith('.next-') || name.startsWith('.incoming-'));
  await Promise.all(leftovers.map((name) => rm(join(place, name), { recursive: true, force: true })));
}

/** Starts the release on a free port of 127.0.0.1 and asks for its health; throws if it does not get well. */
async function healthy(folder) {
  const server = spawn(process.execPath, [join(folder, 'server.mjs')], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => server.kill('SIGKILL');
  process.once('exit', stop);
  try {
    createInterface(server.stderr).on('line', (line) => console.log(`${version}: ${line}`));
    const port = await listening(server);
    let problem = '';
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      problem = await ask(port);
      console.log(`health check ${attempt} of 3: ${problem || 'ok'}`);
      if (!problem) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`${version} is not healthy: ${problem}`);
  } finally {
    process.off('exit', stop);
    stop();
  }
}

/** The port that the server says it listens on. */
async function listening(server) {
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${version} did not start within 10 s`)), 10_000);
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`${version} ended with exit code ${code} before it listened`)));
    createInterface(server.stdout).on('line', (line) => {
      const port = /^listening on (\d+)$/.exec(line)?.[1];
      if (port) resolve(Number(port));
    });
    server.once('close', () => clearTimeout(timer));
  });
}

/** What is wrong with it; empty if nothing is. */
async function ask(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(3_000) });
    const body = await response.text();
    if (!response.ok) return `answered ${response.status}: ${body}`;
    return body === `ok ${version}` ? '' : `answered for another version: ${body}`;
  } catch (error) {
    return error.message;
  }
}
