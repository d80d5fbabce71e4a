/** The user groups of a workspace. */

import { expect } from 'chai';
import { createSlackApi } from '../../../src/adapters/chat/slack/api.ts';
import { createSlackGroups, type KnownSlackGroups } from '../../../src/adapters/chat/slack/groups.ts';
import { DeliveryRefused } from '../../../src/bot/chat.ts';
import type { UserGroup } from '../../../src/domain/people/ports.ts';
import { eventually } from '../../support/eventually.ts';
import { collectingLog } from '../../support/log.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import type { Person } from '../../support/slack/workspace.ts';

describe('Slack user groups', () => {
  let slack: SlackServer;
  let groups: KnownSlackGroups;
  let saved: (readonly UserGroup[])[];
  let alice: Person;
  let bob: Person;
  let log: ReturnType<typeof collectingLog>;

  beforeEach(async () => {
    slack = await startSlack();
    alice = slack.addPerson({ name: 'alice' });
    bob = slack.addPerson({ name: 'bob' });
    saved = [];
    log = collectingLog();
    const workspace = { chat: 'slack', botToken: slack.botToken, apiUrl: slack.apiUrl };
    groups = createSlackGroups({
      chat: 'slack',
      api: createSlackApi({
        workspace,
        robotName: 'shipmate',
        log,
        metrics: { limited: () => undefined },
        patienceMs: 50,
      }),
      directory: { saveGroups: async (_chat, each) => void saved.push(each) },
      log,
    });
  });
  afterEach(async () => {
    await groups.stop();
    slack.mend();
    await slack.close();
  });

  function updates(): number {
    return slack.calls.filter(({ method }) => method === 'usergroups.users.update').length;
  }

  it('are read with their members; a disabled one gives nothing', async () => {
    const oncall = slack.addGroup({ handle: 'OnCall', users: ['alice'] });
    const old = slack.addGroup({ handle: 'old', users: ['bob'] });
    slack.changeGroup(old, { disabled: true });
    await groups.again();
    expect(saved.at(-1)).to.deep.equal([
      { id: `slack:${oncall.id}`, handle: 'slack:@oncall', members: [`slack:${alice.id}`] },
    ]);
  });

  it('give nothing when they cannot be read, until they can', async () => {
    slack.addGroup({ handle: 'oncall', users: ['alice'] });
    slack.fail('usergroups.list', { as: 500, times: 1 });
    await groups.again();
    expect(saved.at(-1)).to.deep.equal([]);
    // It comes by itself.
    await eventually(
      () => saved.at(-1)?.length,
      (count) => count === 1,
    );
  });

  for (const [as, problem] of [
    ['unknown_method', 'unknown_method'],
    ['missing_scope', 'missing_scope'],
    ['plan_upgrade_required', 'plan_upgrade_required'],
    [404, 'status 404'],
  ] as const) {
    it(`that this Slack does not have (${as}) give nothing, and are asked for rarely`, async () => {
      slack.fail('usergroups.list', { as, times: Number.POSITIVE_INFINITY });
      await groups.again();
      expect(saved.at(-1)).to.deep.equal([]);
      expect(log.lines.map(({ fields }) => fields)).to.deep.equal([{ chat: 'slack', problem, retryInMs: 3_600_000 }]);
    });
  }

  it('are read again after the one that is under way, however often that is asked for', async () => {
    slack.addGroup({ handle: 'oncall', users: ['alice'] });
    slack.slow(50);
    const first = groups.again();
    const second = groups.again();
    const third = groups.again();
    slack.changeGroup('oncall', { users: ['bob'] });
    await Promise.all([first, second, third]);
    expect(saved).to.have.length(2);
    expect(saved.at(-1)?.[0]?.members).to.deep.equal([`slack:${bob.id}`]);
  });

  it('get the members they shall have, by id and by handle', async () => {
    const oncall = slack.addGroup({ handle: 'oncall', users: ['alice'] });
    expect(await groups.setMembers('slack:@oncall', [`slack:${bob.id}`])).to.equal('changed');
    expect(oncall.users).to.deep.equal([bob.id]);
    expect(saved.at(-1)?.[0]?.members).to.deep.equal([`slack:${bob.id}`]);
    expect(await groups.setMembers(`slack:${oncall.id}`, [`slack:${alice.id}`, `slack:${bob.id}`])).to.equal('changed');
    expect([...oncall.users].sort()).to.deep.equal([alice.id, bob.id].sort());
    expect(updates()).to.equal(2);
  });

  it('are left alone if everybody is in it already, or nobody is named', async () => {
    const oncall = slack.addGroup({ handle: 'oncall', users: ['alice', 'bob'] });
    const both = [`slack:${bob.id}`, `slack:${alice.id}`, `slack:${bob.id}`];
    expect(await groups.setMembers('slack:@oncall', both)).to.equal('unchanged');
    expect(await groups.setMembers('slack:@oncall', [])).to.equal('empty');
    expect(updates()).to.equal(0);
    expect(oncall.users).to.have.length(2);
  });

  it('that are not there, and people of other chats, are refused', async () => {
    slack.addGroup({ handle: 'oncall', users: ['alice'] });
    const attempts = [
      () => groups.setMembers('slack:@nobody', [`slack:${bob.id}`]),
      () => groups.setMembers('slack:@oncall', ['web:2']),
      () => groups.setMembers('slack-emea:@oncall', [`slack:${bob.id}`]),
      () => groups.setMembers('slack:@oncall', ['slack:U000NOBODY']),
    ];
    for (const attempt of attempts) {
      expect(await attempt().catch((error: unknown) => error)).to.be.instanceOf(DeliveryRefused);
    }
    expect(slack.workspace.group('oncall').users).to.deep.equal([alice.id]);
  });
});
