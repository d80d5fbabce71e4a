/** Guests, strangers, deactivated accounts and user groups, from Slack's events to what the robot does. */

import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import { userObject } from '../../support/slack/shapes.ts';
import type { Person } from '../../support/slack/workspace.ts';
import { type SlackRobot, startSlackRobot } from '../../support/slack-robot.ts';

describe('Slack people from outside', () => {
  let db: Database;
  let slack: SlackServer;
  let robot: SlackRobot;
  let alice: Person;

  before(async function () {
    this.timeout(60_000);
    db = await testDatabase();
    slack = await startSlack();
    alice = slack.addPerson({ name: 'alice', email: 'alice@example.com' });
    slack.addPerson({ name: 'greta', kind: 'guest', email: 'alice@example.com' });
    slack.addPerson({ name: 'sam', kind: 'stranger', email: 'alice@example.com' });
    slack.addChannel({ name: 'ops', members: ['alice', 'greta', 'sam'] });
    slack.addGroup({ handle: 'oncall', users: ['alice'] });
    robot = await startSlackRobot({ slack, db });
    await slack.connected();
  });
  after(async function () {
    this.timeout(20_000);
    await robot.close();
    await slack.close();
    await db.close();
  });

  async function answerTo(who: string, text: string): Promise<string> {
    const before = slack.posts('ops').length;
    slack.say(who, 'ops', text, { mention: true });
    await slack.message('ops', () => slack.posts('ops').length > before);
    return slack.posts('ops').at(-1)?.text ?? '';
  }

  it('are told why nothing is done for them; nobody else hears them, and they are kept in the history', async () => {
    slack.say('greta', 'ops', 'they talk to each other');
    await eventually(async () => {
      const { rows } = await db.pool.query("select count(*) as count from messages where text like '%each other%'");
      return rows[0]?.count === 1;
    });
    for (const who of ['greta', 'sam']) {
      expect(await answerTo(who, 'echo hello')).to.contain(`slack:${slack.person(who).id}`);
      expect(await answerTo(who, 'what is the api?')).to.contain(`slack:${slack.person(who).id}`);
    }
    expect(robot.ran).to.deep.equal([]);
    expect(robot.sentences).to.deep.equal([]);
    expect(robot.heard.filter(({ text }) => text !== '')).to.deep.equal([]);
  });

  it('are those who become guests, from the event on, and until they are members again', async () => {
    expect(await answerTo('alice', 'echo one')).to.equal('one');
    const user = { ...userObject(slack.workspace, alice), updated: alice.updated + 10 };
    slack.emit({ type: 'user_change', user: { ...user, is_restricted: true }, event_ts: slack.workspace.newTs() });
    await slack.settled();
    expect(await answerTo('alice', 'echo two')).to.contain(`slack:${alice.id}`);
    slack.emit({
      type: 'user_change',
      user: { ...user, updated: alice.updated + 11 },
      event_ts: slack.workspace.newTs(),
    });
    await slack.settled();
    expect(await answerTo('alice', 'echo three')).to.equal('three');
  });

  it('are those who join, as what they are', async () => {
    const dora = slack.joinTeam({ name: 'dora', email: 'dora@example.com' });
    await eventually(async () => {
      const { rows } = await db.pool.query('select email from people where id = $1', [`slack:${dora.id}`]);
      return rows[0]?.email === 'dora@example.com';
    });
  });

  it('groups follow their events', async () => {
    const members = async (): Promise<unknown> =>
      (await db.pool.query('select handle, members from people_groups')).rows;
    await eventually(members, (rows) => JSON.stringify(rows).includes(alice.id));
    slack.changeGroup('oncall', { users: ['greta'] });
    await eventually(members, (rows) => JSON.stringify(rows).includes(slack.person('greta').id));
    slack.changeGroup('oncall', { disabled: true });
    await eventually(members, (rows) => Array.isArray(rows) && rows.length === 0);
  });

  it('are those who are deactivated, whatever they are given', async () => {
    slack.changePerson('alice', { deleted: true });
    await slack.settled();
    await eventually(async () => {
      const { rows } = await db.pool.query('select active from people where id = $1', [`slack:${alice.id}`]);
      return rows[0]?.active === false;
    });
    expect(await answerTo('alice', 'echo four')).to.contain('deactivated');
  });
});
