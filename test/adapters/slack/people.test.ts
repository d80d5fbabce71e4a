/** Who the people of a workspace are. */

import { expect } from 'chai';
import pino from 'pino';
import { createSlackApi } from '../../../src/adapters/chat/slack/api.ts';
import { createSlackPeople, type KnownSlackPeople } from '../../../src/adapters/chat/slack/people.ts';
import { personOf, type SlackUser } from '../../../src/adapters/chat/slack/user.ts';
import { Robot } from '../../../src/bot/robot.ts';
import { eventually } from '../../support/eventually.ts';
import { collectingLog } from '../../support/log.ts';
import { type MemoryPeople, memoryPeople } from '../../support/people.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import type { Person } from '../../support/slack/workspace.ts';

const TEAM = 'T1';

function read(user: Partial<SlackUser>): ReturnType<typeof personOf> {
  return personOf({ id: 'U1', team_id: TEAM, name: 'bob', ...user }, 'slack', TEAM);
}

describe('Slack user object', () => {
  const outside: readonly (readonly [string, Partial<SlackUser>, boolean])[] = [
    ['a member', {}, false],
    ['an admin', { is_restricted: false, is_stranger: false }, false],
    ['a guest of several channels', { is_restricted: true }, true],
    ['a guest of one channel', { is_ultra_restricted: true }, true],
    ['a stranger of Slack Connect', { is_stranger: true }, true],
    ['somebody of another workspace', { team_id: 'T2' }, true],
    ['somebody of whom no workspace is said', { team_id: '' }, true],
    ['somebody of the grid who is in this workspace', { team_id: 'T2', teams: ['T3', TEAM] }, false],
    ['the same, said the newer way', { team_id: 'E1', enterprise_user: { teams: [TEAM] } }, false],
    ['somebody of the grid who is not', { team_id: 'E1', enterprise_user: { teams: ['T3'] } }, true],
    ['a guest of the grid who is in this workspace', { team_id: 'E1', teams: [TEAM], is_restricted: true }, true],
  ];
  for (const [who, user, expected] of outside) {
    it(`${who} is ${expected ? 'outside' : 'inside'}`, () => {
      expect(read(user).outside).to.equal(expected);
    });
  }

  const profile = { email: 'Bob@Example.com' };
  const emails: readonly (readonly [string, Partial<SlackUser>, string | undefined])[] = [
    ['confirmed', { profile, is_email_confirmed: true }, 'bob@example.com'],
    ['of which nothing else is said', { profile }, 'bob@example.com'],
    ['not confirmed', { profile, is_email_confirmed: false }, undefined],
    ['of somebody who has not come yet', { profile, is_invited_user: true }, undefined],
    ['of a bot', { profile, is_bot: true }, undefined],
    ['that another organisation says', { profile, is_stranger: true, is_email_confirmed: true }, undefined],
    ['of another workspace', { profile, team_id: 'T2', is_email_confirmed: true }, undefined],
    ['of a guest, who stays outside', { profile, is_restricted: true }, 'bob@example.com'],
    ['that is none', { profile: { email: 'bob' } }, undefined],
  ];
  for (const [what, user, expected] of emails) {
    it(`an address ${what} counts ${expected === undefined ? 'not' : ''}`, () => {
      expect(read(user).email).to.equal(expected);
    });
  }

  it('people are called what they chose, else by their full name, else by their handle', () => {
    expect(read({ profile: { display_name: 'Bobby', real_name: 'Bob B' } }).name).to.equal('Bobby');
    expect(read({ profile: { display_name: '  ', real_name: 'Bob B' } }).name).to.equal('Bob B');
    expect(read({ profile: { display_name: '' } }).name).to.equal('bob');
    expect(personOf({ id: 'U1' }, 'slack', TEAM).name).to.equal('U1');
    expect(read({ profile: { display_name: 'a\u202Eb\u200B\n c' } }).name).to.equal('ab c');
    expect(read({ profile: { display_name: 'x'.repeat(500) } }).name).to.have.length(80);
    // Halves of characters are refused by the database, and with one everybody of the same page.
    expect(read({ profile: { display_name: 'bob\uD83D' } }).name).to.equal('bob\uFFFD');
  });

  it('Slack itself and workflows are robots, deactivated accounts inactive', () => {
    expect(personOf({ id: 'USLACKBOT', team_id: TEAM }, 'slack', TEAM).bot).to.equal(true);
    expect(read({ is_workflow_bot: true }).bot).to.equal(true);
    expect(read({ deleted: true }).active).to.equal(false);
  });
});

describe('Slack people', () => {
  let slack: SlackServer;
  let directory: MemoryPeople;
  let robot: Robot;
  let people: KnownSlackPeople;
  let time: number;
  let log: ReturnType<typeof collectingLog>;
  let alice: Person;

  beforeEach(async () => {
    slack = await startSlack();
    alice = slack.addPerson({ name: 'alice', email: 'alice@example.com' });
    time = Date.now();
    robot = new Robot(null, false, 'shipmate', false, { logger: pino({ level: 'silent' }) });
    directory = memoryPeople({ now });
    people = start();
  });
  afterEach(async () => {
    await people.stop();
    robot.shutdown();
    slack.mend();
    await slack.close();
  });

  function now(): Date {
    return new Date(time);
  }

  function start({
    patienceMs = 50,
    ...options
  }: {
    readonly patienceMs?: number;
    readonly soonMs?: number;
  } = {}): KnownSlackPeople {
    log = collectingLog();
    const workspace = { chat: 'slack', botToken: slack.botToken, apiUrl: slack.apiUrl };
    const metrics = { limited: () => undefined };
    return createSlackPeople({
      chat: 'slack',
      api: createSlackApi({ workspace, robotName: 'shipmate', log, metrics, patienceMs }),
      directory,
      robot,
      log,
      self: () => ({
        teamId: slack.workspace.teamId,
        teamName: '',
        url: '',
        userId: slack.bot.id,
        botId: '',
        agent: true,
        postsAnywhere: true,
      }),
      now,
      ...options,
    });
  }

  function infos(): number {
    return slack.calls.filter(({ method }) => method === 'users.info').length;
  }

  it('are asked for once, and stored before they are told', async () => {
    const [one] = await Promise.all(Array.from({ length: 5 }, () => people.person(alice.id)));
    expect(one).to.include({ id: `slack:${alice.id}`, name: 'alice', email: 'alice@example.com', outside: false });
    expect(await directory.get(`slack:${alice.id}`)).to.include({ name: 'alice', email: 'alice@example.com' });
    expect(infos()).to.equal(1);
    time += 3_600_001;
    await people.person(alice.id);
    expect(infos(), 'an event may have been lost').to.equal(2);
  });

  it('are heard at once while Slack takes its time, if they were known', async () => {
    people = start({ soonMs: 10, patienceMs: 60_000 });
    await people.person(alice.id);
    time += 3_600_001;
    slack.fail('users.info', { as: 429, retryAfter: 30 });
    expect(await people.person(alice.id)).to.include({ name: 'alice' });
  });

  it('who do not exist are not asked for each time somebody writes their id', async () => {
    for (let n = 0; n < 3; n++) expect(await people.person('UNOBODY')).to.include({ outside: true });
    expect(infos()).to.equal(1);
    time += 5_001;
    await people.person('UNOBODY');
    expect(infos()).to.equal(2);
  });

  it('are all read in the background, page by page', async () => {
    for (let n = 0; n < 450; n++) slack.addPerson({ name: `p${n}` });
    slack.fail('users.list', { as: 429, retryAfter: 1, times: 1 });
    people.start();
    await eventually(
      () => log.messages(true),
      (lines) => lines.includes('Slack people read'),
    );
    expect(Object.keys(robot.brain.users())).to.have.length(451);
    expect((await directory.identity(`slack:${alice.id}`)).standing).to.equal('inside');
    expect(robot.brain.users()[alice.id]).to.include({
      name: 'alice',
      chat: 'slack',
      email_address: 'alice@example.com',
    });
    expect(robot.brain.users()).to.not.have.property(slack.bot.id);
    expect(infos()).to.equal(0);
  });

  it('change by what Slack says of them, and never back by what comes late', async () => {
    await people.person(alice.id);
    const user = { id: alice.id, team_id: slack.workspace.teamId, name: 'alice', updated: alice.updated + 10 };
    await people.heard({ ...user, profile: { display_name: 'Alicia' } });
    await people.heard({ ...user, updated: alice.updated + 5, profile: { display_name: 'Old' } });
    expect(await people.person(alice.id))
      .to.include({ name: 'Alicia' })
      .and.not.have.property('email');
    expect(robot.brain.users()[alice.id]).to.include({ name: 'Alicia' });
    await people.heard({ ...user, updated: alice.updated + 20, deleted: true });
    expect((await directory.identity(`slack:${alice.id}`)).standing).to.equal('inactive');
  });

  it('who become guests are outside from that moment', async () => {
    await people.person(alice.id);
    expect((await directory.identity(`slack:${alice.id}`)).standing).to.equal('inside');
    await people.heard({
      id: alice.id,
      team_id: slack.workspace.teamId,
      is_restricted: true,
      updated: alice.updated + 1,
    });
    expect((await directory.identity(`slack:${alice.id}`)).standing).to.equal('outside');
  });

  it('that cannot be looked up are outside, and asked for again', async () => {
    slack.fail('users.info', { as: 500, times: 50 });
    expect(await people.person(alice.id)).to.include({ outside: true, name: alice.id });
    expect((await directory.identity(`slack:${alice.id}`)).standing).to.equal('outside');
    slack.mend();
    time += 5_001;
    expect(await people.person(alice.id)).to.include({ outside: false, name: 'alice' });
    expect((await directory.identity(`slack:${alice.id}`)).standing).to.equal('inside');
  });

  it('who were known a moment ago stay known while Slack is away, for a day', async () => {
    await people.person(alice.id);
    slack.fail('users.info', { as: 500, times: 500 });
    time += 3_600_001;
    expect(await people.person(alice.id)).to.include({ outside: false });
    const restarted = start();
    expect(await restarted.person(alice.id)).to.include({ outside: false, name: 'alice' });
    time += 24 * 3_600_000;
    expect(await restarted.person(alice.id)).to.include({ outside: true });
    expect((await directory.identity(`slack:${alice.id}`)).standing).to.equal('outside');
  });

  it('whom Slack does not know any more have no rights', async () => {
    await people.person(alice.id);
    slack.workspace.people.delete(alice.id);
    time += 3_600_001;
    expect(await people.person(alice.id)).to.include({ outside: true, name: 'alice' });
    expect((await directory.identity(`slack:${alice.id}`)).standing).to.equal('outside');
    expect(await directory.get(`slack:${alice.id}`)).to.not.have.property('email');
  });

  it('of other organisations are outside, whatever address they say they have', async () => {
    const mallory = slack.addPerson({ name: 'mallory', kind: 'stranger', email: 'alice@example.com' });
    await people.person(alice.id);
    expect(await people.person(mallory.id))
      .to.include({ outside: true })
      .and.not.have.property('email');
    expect(await directory.samePerson(`slack:${alice.id}`, `slack:${mallory.id}`)).to.equal(false);
  });

  it('leave alone whom another chat has under the same id', async () => {
    robot.brain.userForId(alice.id, { name: 'other', chat: 'slack-emea' });
    await people.person(alice.id);
    expect(robot.brain.users()[alice.id]).to.include({ name: 'other', chat: 'slack-emea' });
  });
});
