/** The program as it runs behind a public address: what a stranger gets to see. */

import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/postgres.ts';
import { BIN, type Program, start, status } from '../support/program.ts';
import { enter, http, openLink } from '../support/web-client.ts';

const HOST = 'chat.example.org';
const PAGE = '/runbooks/certificate-expiry.md';
const SECRET = 'q7Zp2mV9xK4tR8wL';

describe('the program behind a public address', function () {
  this.timeout(60_000);
  let program: Program;
  let data: string;

  before(async () => {
    data = join(await mkdtemp(join(tmpdir(), 'shipmate-public-')), 'data');
    program = await start({
      data,
      env: { SHIPMATE_PUBLIC_URL: `https://${HOST}`, SHIPMATE_WEB: 'yes', SHIPMATE_WEB_TOKEN: SECRET },
    });
  });
  after(async () => {
    if (program) await program.end('SIGTERM');
    await rm(join(data, '..'), { recursive: true, force: true });
  });

  it('shows runbooks to those who are signed in, whatever the proxy says of where they come from', async () => {
    const seen = async (headers: Record<string, string>): Promise<number> =>
      (await http(program, PAGE, { headers })).status;
    expect(await seen({ host: HOST })).to.equal(401);
    expect(await seen({}), 'a proxy that looks like this machine').to.equal(401);
    const opened = await http(program, `/?token=${SECRET}`, { headers: { host: HOST } });
    const cookie = opened.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect(await seen({ host: HOST, cookie }), 'without a name yet').to.equal(401);
    const entered = await enter(program, cookie, 'alice', { host: HOST, origin: `https://${HOST}` });
    expect(entered.status).to.equal(200);
    expect(await seen({ host: HOST, cookie })).to.equal(200);
    expect(await openLink(program, `https://${HOST}/?token=${SECRET}x`)).to.equal(undefined);
  });

  it('tells strangers of its state, and nothing else', async () => {
    const headers = { host: HOST, 'x-forwarded-for': '203.0.113.9' };
    expect((await http(program, '/healthz', { headers })).body).to.equal('{"status":"alive"}\n');
    expect((await http(program, '/readyz', { headers })).body).to.equal('{"status":"ready"}\n');
    expect((await http(program, '/metrics', { headers })).status).to.equal(401);
    expect((await http(program, '/runbooks/../package.json', { headers })).status).to.be.oneOf([401, 404]);
  });

  it('writes no token to its log, and keeps its folder to itself', async () => {
    await http(program, `/hooks/alertmanager/${SECRET}${SECRET}`, { method: 'POST' });
    expect(program.log()).to.contain('hook refused').and.not.contain(SECRET);
    expect((await stat(data)).mode & 0o777).to.equal(0o700);
  });

  it('goes on, and ends when told to, after whoever read its log is gone', async () => {
    const port = await freePort();
    const env = { ...process.env, PORT: String(port), SHIPMATE_DATA: `${data}-unread`, HUBOT_LOG_LEVEL: 'debug' };
    const child = spawn(process.execPath, [BIN], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.stderr.once('data', () => child.stderr.destroy());
    await eventually(async () => (await status({ port }, '/readyz').catch(() => 0)) === 200, Boolean, 20_000);
    child.kill('SIGTERM');
    expect(await ended).to.equal(0);
  });
});
