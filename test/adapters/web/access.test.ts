import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { startWeb, TOKEN, type Web } from '../../support/web.ts';
import { Client, comeIn, connect, enter, http, openLink } from '../../support/web-client.ts';

describe('web chat: who comes in', () => {
  let db: Database;
  let web: Web;
  before(async function () {
    this.timeout(20_000);
    db = await testDatabase();
    web = await startWeb(db);
  });
  after(async () => {
    await web.close();
    await db.close();
  });

  it('exchanges the token of the link for a session and takes it out of the address', async () => {
    const reply = await http(web, `/?token=${TOKEN}`);
    expect(reply.status).to.equal(303);
    expect(reply.headers.location).to.equal('/');
    const cookie = reply.headers['set-cookie']?.[0] ?? '';
    expect(cookie).to.match(/^shipmate-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/);
    expect(cookie).not.to.contain(TOKEN);
  });

  it('makes the first person known as the first, once, and the names unique', async () => {
    await comeIn(web, 'alice');
    await comeIn(web, 'bob');
    expect(web.firstPersons).to.deep.equal([{ id: 'web:1', chat: 'web', name: 'alice' }]);
    expect(web.persons.map(({ name }) => name)).to.deep.equal(['alice', 'bob']);
    expect(web.robot.brain.userForName('bob')?.id, 'known to scripts before the first word').to.equal('web:2');
  });

  it('lets a person of this machine come back under the same name, as the same account', async () => {
    const known = web.persons.length;
    const client = await connect(web, await comeIn(web, 'ALICE'));
    expect((await client.frame('welcome')).me).to.deep.equal({ id: 'web:1', name: 'alice' });
    expect(web.persons).to.have.length(known);
    await client.close();
  });

  for (const [name, why] of [
    ['', 'empty'],
    ['Shipmate', "the robot's"],
    ['everyone', 'reserved'],
    ['<b>x</b>', 'markup'],
    ['a'.repeat(41), 'too long'],
    ['x\u202Ey', 'reversed'],
    ['al\u0456ce', 'of two scripts'],
    ['bob\uFE0F', 'with a mark that nobody sees'],
    ['bob\u3164', 'with a letter that nobody sees'],
    ['b\u0336\u0337\u0338\u0335ob', 'a heap of marks'],
    ['Me', 'what the asker is called'],
    [' \n ', 'blank'],
  ] as const) {
    it(`refuses a name that is ${why}`, async () => {
      const cookie = (await openLink(web, web.link)) ?? '';
      const reply = await enter(web, cookie, name);
      expect(reply.status).to.equal(400);
      expect(JSON.parse(reply.body)).to.have.keys('problem', 'next');
    });
  }

  it('refuses a wrong token, and after some of them asks for patience', async () => {
    const first = await http(web, '/?token=wrong');
    expect(first.headers.location).to.equal('/#link-refused');
    expect(first.headers['set-cookie']).to.equal(undefined);
    const statuses = await Promise.all(
      Array.from({ length: 15 }, () => http(web, '/?token=wrong').then((r) => r.status)),
    );
    expect(statuses).to.include(429);
    expect((await http(web, `/?token=${TOKEN}`)).status, 'the right one still works').to.equal(303);
  });

  it('is closed to other hosts, proxies and pages', async () => {
    const cookie = await comeIn(web, 'carol');
    const asked = async (headers: Record<string, string>, method = 'GET', path = '/web/me') =>
      (await http(web, path, { method, headers: { cookie, ...headers } })).status;
    expect(await asked({})).to.equal(200);
    expect(await asked({ host: `localhost:${web.port}` })).to.equal(200);
    expect(await asked({ host: `127.0.0.2:${web.port}` })).to.equal(200);
    expect(await asked({ host: 'evil.example' }), 'DNS rebinding').to.equal(403);
    expect(await asked({ host: `127.0.0.1.evil.example:${web.port}` })).to.equal(403);
    expect(await asked({ 'x-forwarded-for': '203.0.113.9' }), 'a proxy').to.equal(403);
    expect(await asked({}, 'POST', '/web/signout'), 'no origin').to.equal(403);
    expect(await asked({ origin: 'http://evil.example' }, 'POST', '/web/signout'), 'another page').to.equal(403);
    expect(await asked({ origin: 'null' }, 'POST', '/web/signout')).to.equal(403);
    expect(
      await asked({ origin: `http://127.0.0.1:${web.port + 1}` }, 'POST', '/web/signout'),
      'another port',
    ).to.equal(403);
  });

  it('opens a WebSocket only for a session, from its own page', async () => {
    const cookie = await comeIn(web, 'dave');
    const refusal = async (headers: Record<string, string>) => {
      const client = new Client(web, headers);
      return await eventually(() => client.refused);
    };
    expect(await refusal({ cookie, origin: 'http://evil.example' })).to.equal(403);
    expect(await refusal({ cookie })).to.equal(403);
    expect(await refusal({ cookie, origin: web.url, host: 'evil.example' })).to.equal(403);
    expect(await refusal({ origin: web.url })).to.equal(401);
    expect(await refusal({ origin: web.url, cookie: `${cookie}x` })).to.equal(401);
    const nameless = (await openLink(web, web.link)) ?? '';
    expect(await refusal({ origin: web.url, cookie: nameless })).to.equal(401);
  });

  it('invites one person, once', async () => {
    const invited = await web.chat.invite('@erin', 'web:1');
    if (invited.kind !== 'invited') throw new Error('not invited');
    const cookie = (await openLink(web, invited.link)) ?? '';
    expect(JSON.parse((await http(web, '/web/me', { headers: { cookie } })).body)).to.deep.include({
      state: 'name',
      suggested: 'erin',
    });
    const second = (await openLink(web, invited.link)) ?? '';
    expect((await enter(web, cookie, 'bob')).status, 'not as somebody else').to.equal(409);
    expect((await enter(web, cookie, 'erin')).status).to.equal(200);
    expect((await enter(web, second, 'mallory')).status, 'used up').to.equal(401);
    const late = await http(web, new URL(invited.link).pathname);
    expect(late.headers.location).to.equal('/#invite-refused');
    const byLink = (await openLink(web, web.link)) ?? '';
    expect((await enter(web, byLink, 'Erin')).status, 'the link of the machine is not hers').to.equal(409);
    expect(await web.chat.invite('Erin', 'web:1'), 'she is here').to.have.property('kind', 'refused');
    const again = await web.chat.invite('erin', 'web:1', { known: true });
    if (again.kind !== 'invited') throw new Error('not invited');
    expect(again.known).to.equal(true);
    expect((await enter(web, (await openLink(web, again.link)) ?? '', 'erin')).status).to.equal(200);
  });

  it('an invited person is known by the address that the invitation says, and by no other', async () => {
    const invited = await web.chat.invite('ida', 'web:1', { known: true, email: 'ida@example.com' });
    if (invited.kind !== 'invited') throw new Error('not invited');
    expect(web.emails).to.deep.equal([]);
    expect((await enter(web, (await openLink(web, invited.link)) ?? '', 'ida')).status).to.equal(200);
    const [told] = web.emails;
    expect(told).to.match(/^web:\d+ ida@example\.com$/);
    const taken = await web.chat.invite('jan', 'web:1', { known: true, email: 'ida@example.com' });
    expect(taken).to.have.nested.property('problem.text', 'That address is the one of ida here.');
    await web.chat.invite('ida', 'web:1', { known: true, email: 'ida@example.org' });
    expect(web.emails.at(-1)).to.equal(told?.replace('.com', '.org'));
  });

  it('who is known by an address comes in as the account that has it, and never as one that only has the name', async () => {
    const self = { id: 'slack:U1', name: 'kim', email: 'kim@example.com' };
    await comeIn(web, 'kim');
    const invited = await web.chat.inviteSelf(self);
    if (invited.kind !== 'invited') throw new Error('not invited');
    expect(invited).to.include({ name: 'kim 2', known: false });
    const cookie = (await openLink(web, invited.link)) ?? '';
    expect((await enter(web, cookie, 'kim')).status, 'somebody else').to.equal(409);
    expect((await enter(web, cookie, 'Kimberly')).status).to.equal(200);
    expect(web.emails.at(-1)).to.match(/^web:\d+ kim@example\.com$/);
    const again = await web.chat.inviteSelf(self);
    expect(again).to.include({ name: 'Kimberly', known: true });
    // A display name that cannot be one here: the address has one.
    const odd = await web.chat.inviteSelf({ id: 'slack:U2', name: 'admin', email: 'lena@example.com' });
    expect(odd).to.include({ name: 'lena' });
    const none = await web.chat.inviteSelf({ id: 'slack:U3', name: 'admin', email: 'all@example.com' });
    expect(none).to.have.property('kind', 'refused');
  });

  it('says who is signed in here, for other pages of the robot', async () => {
    const cookie = await comeIn(web, 'olga');
    const nameless = (await openLink(web, web.link)) ?? '';
    web.robot.httpServer?.beforeParsers.get('/test/admits', async (request, response) => {
      response.end(String(await web.chat.admits(request)));
    });
    const admitted = async (headers: Record<string, string>) => (await http(web, '/test/admits', { headers })).body;
    expect(await admitted({ cookie })).to.equal('true');
    expect(await admitted({}), 'nobody').to.equal('false');
    expect(await admitted({ cookie: nameless }), 'without a name yet').to.equal('false');
    expect(await admitted({ cookie, host: 'evil.example' }), 'DNS rebinding').to.equal('false');
    await http(web, '/web/signout', { method: 'POST', headers: { cookie, origin: web.url } });
    expect(await admitted({ cookie }), 'signed out').to.equal('false');
  });

  it('signs out everywhere the session is open', async () => {
    const cookie = await comeIn(web, 'frank');
    const client = await connect(web, cookie);
    const reply = await http(web, '/web/signout', { method: 'POST', headers: { cookie, origin: web.url } });
    expect(reply.headers['set-cookie']?.[0]).to.contain('Max-Age=0');
    expect(await eventually(() => client.closed)).to.equal(4001);
    expect(JSON.parse((await http(web, '/web/me', { headers: { cookie } })).body).state).to.equal('out');
  });

  it('keeps sessions and invitations as fingerprints', async () => {
    const cookie = await comeIn(web, 'grace');
    const { rows } = await db.pool.query(
      'select secret_hash from web_sessions union select secret_hash from web_invites',
    );
    for (const row of rows) expect(row.secret_hash).to.match(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(rows)).not.to.contain(cookie.split('=')[1]);
  });

  it('serves its files only, with a strict policy and no inline code', async () => {
    const page = await http(web, '/');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).to.contain("default-src 'none'").and.contain("frame-ancestors 'none'").and.not.contain('unsafe');
    expect(page.body).not.to.match(/<script>|<style|style=|onclick=/);
    for (const path of ['/web/app.js', '/web/base.css', '/web/icon.svg']) {
      expect((await http(web, path)).status, path).to.equal(200);
    }
    for (const path of ['/web/..%2Fchat.ts', '/web/%2e%2e/chat.ts', '/web/chat.ts', '/web/nothing.js']) {
      expect((await http(web, path)).status, path).to.equal(404);
    }
  });

  it('is off where it is not switched on, and says how', async () => {
    const off = await startWeb(db, { enabled: false });
    const reply = await http(off, `/?token=${TOKEN}`);
    expect(reply.status).to.equal(503);
    expect(reply.body).to.contain('SHIPMATE_WEB_TOKEN');
    expect(off.chat.link()).to.equal(undefined);
    const client = new Client(off, { origin: off.url });
    expect(await eventually(() => client.refused)).to.equal(404);
    await off.close();
  });

  it('answers at its public address, with cookies for https only', async () => {
    const open = await startWeb(db, { publicUrl: 'https://chat.example.org' });
    const headers = { host: 'chat.example.org', 'x-forwarded-for': '203.0.113.9' };
    const reply = await http(open, `/?token=${TOKEN}`, { headers });
    expect(reply.status).to.equal(303);
    const cookie = reply.headers['set-cookie']?.[0] ?? '';
    expect(cookie, 'no other name of the domain can set it').to.match(
      /^__Host-shipmate=[\w-]{43}; .*Path=\/; .*; Secure$/,
    );
    const session = cookie.split(';')[0] ?? '';
    const entered = await enter(open, session, 'heidi', { ...headers, origin: 'https://chat.example.org' });
    expect(entered.status).to.equal(200);
    const me = await http(open, '/web/me', { headers: { ...headers, cookie: session } });
    expect(JSON.parse(me.body).name).to.equal('heidi');
    expect((await http(open, '/', { headers: { host: 'other.example.org' } })).status).to.equal(403);
    expect(open.chat.link()).to.match(/^https:\/\/chat\.example\.org\/\?token=/);
    await open.close();
  });
});
