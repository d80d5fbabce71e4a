/** The whole program with services of a forge, and a person in its chat. */

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { freePort } from '../postgres.ts';
import { Guest, type Program, start } from '../program.ts';

const FIXTURES = new URL('../../fixtures/config', import.meta.url);

export interface ForgeRobot {
  /** `deploy <service> v2 to staging`, said in the room. */
  deploy(...services: readonly string[]): Promise<void>;
  say(text: string): Promise<void>;
  /** What the room shows of that service, once it holds this; without tags. */
  shown(service: string, text: string): Promise<string>;
  /** The number of the deployment that the room shows of that service. */
  numberOf(service: string): Promise<number>;
  /** All that the robot kept of what was said in that deployment. */
  wholeLog(deployment: number): Promise<string>;
  /** Kills it with SIGKILL, and starts it again on the same data. */
  killAndStart(): Promise<void>;
  /** Resident memory in MB: now, and at most so far. */
  memory(): Promise<{ readonly now: number; readonly peak: number }>;
  log(): string;
  close(): Promise<void>;
}

/** @param services the text under `services:` in config/services.yaml */
export async function startRobot(services: string, env: Readonly<Record<string, string>>): Promise<ForgeRobot> {
  const folder = await mkdtemp(join(tmpdir(), 'shipmate-forge-'));
  const config = join(folder, 'config');
  await cp(FIXTURES, config, { recursive: true });
  await writeFile(join(config, 'services.yaml'), `environments:\n  staging:\nservices:\n${services}`);
  const port = await freePort();
  const guest = new Guest('alice');
  const begin = async () => {
    const begun = await start({ data: join(folder, 'data'), port, env: { SHIPMATE_CONFIG: config, ...env } });
    await guest.connect(begun);
    return begun;
  };
  let program: Program = await begin();

  async function messages(): Promise<readonly string[]> {
    return (await guest.read('general', 1)).map(({ html }) => plain(html));
  }

  async function shown(service: string, text: string): Promise<string> {
    const names = new RegExp(`(?<![\\w-])${service}(?![\\w-])`);
    const look = async () => (await messages()).filter((one) => names.test(one)).join('\n');
    return await eventually(look, (all) => all.includes(text), 90_000);
  }

  return {
    async say(text) {
      await guest.say('general', `shipmate ${text}`);
    },
    async deploy(...names) {
      for (const name of names) await guest.say('general', `shipmate deploy ${name} v2 to staging`);
    },
    shown,
    async numberOf(service) {
      return Number(/Deployment (\d+)/.exec(await shown(service, 'Deployment '))?.[1]);
    },
    wholeLog: async (deployment) => await (await fetch(`${program.url}/deploys/${deployment}/log.txt`)).text(),
    async killAndStart() {
      await program.end('SIGKILL');
      program = await begin();
    },
    async memory() {
      const text = await readFile(`/proc/${program.pid}/status`, 'utf8');
      const mb = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1]) / 1024;
      return { now: mb('VmRSS'), peak: mb('VmHWM') };
    },
    log: () => program.log(),
    async close() {
      await program.end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Text as a person reads it. */
function plain(html: string): string {
  return html
    .replaceAll('\\"', '"')
    .replace(/<[^>]+>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
