import { expect } from 'chai';
import type { Card } from '../../src/bot/card.ts';
import { command } from '../../src/bot/command.ts';
import { overviewCards, overviewOf, type Suggestion, suggestionsFor } from '../../src/bot/overview.ts';
import type { AlertSummary, Alerts } from '../../src/domain/alerts/ports.ts';
import type { Deployment, Deploys } from '../../src/domain/deploy/ports.ts';
import { type InMemoryCommands, inMemoryCommands } from '../support/commands.ts';
import { Helper, type Room } from '../support/room.ts';

const now = new Date('2026-11-20T08:00:00Z');
const bob = { id: 'test:bob', name: 'bob' };
const none = async (): Promise<never> => {
  throw new Error('not here');
};

function alert(number: number, by?: typeof bob): AlertSummary {
  return {
    number,
    state: by ? 'acknowledged' : 'firing',
    title: `Disk ${number}`,
    severity: 'critical',
    firing: 1,
    total: 1,
    openedAt: new Date('2026-11-20T07:00:00Z'),
    ...(by ? { acknowledged: { by, at: now } } : {}),
  };
}

const running: Deployment = {
  id: 12,
  service: 'hello',
  environment: 'staging',
  version: 'v2',
  by: bob,
  origin: { chat: 'test', room: 'room1' },
  state: 'running',
  requestedAt: new Date('2026-11-20T07:59:00Z'),
};

describe('scripts/overview.ts', () => {
  let room: Room;
  let commands: InMemoryCommands;
  let open: AlertSummary[];
  let deploying: Deployment[];
  let cards: readonly Card[];
  let offered: readonly Suggestion[];

  beforeEach(async () => {
    open = [];
    deploying = [];
    const alerts: Alerts = {
      list: async () => ({ alerts: open, total: open.length }),
      receive: none,
      get: none,
      acknowledge: none,
      test: none,
      context: none,
      refresh: none,
      resolveTest: none,
      catchUp: none,
    };
    const deploys: Deploys = {
      running: async () => deploying,
      start: none,
      revert: none,
      preview: none,
      between: none,
      approval: () => undefined,
      get: none,
      cancel: none,
      stop: none,
      lines: none,
      goOn: none,

      list: none,
      history: none,
      log: none,
      versions: none,
      run: none,
      interrupt: none,
      takeUp: none,
    };
    commands = inMemoryCommands({
      now: () => now,
      policy: { roles: { lead: ['approve:*', 'alerts:ack'] }, people: { 'test:carol': ['lead'] } },
      services: { alerts, deploys },
    });
    room = await new Helper([
      'scripts/overview.ts',
      'scripts/alerts.ts',
      'scripts/deploy.ts',
      'scripts/help.ts',
      'scripts/proposals.ts',
    ]).createRoom({
      prepare(robot, chat) {
        commands.prepare(robot, chat);
        command(robot, {
          id: 'test.cards',
          usage: 'cards',
          summary: 'As App Home shows it',
          examples: ['cards'],
          effect: 'read',
          needs: 'public',
          async run({ person, services }) {
            cards = overviewCards(await overviewOf(person, services, now));
            offered = await suggestionsFor(person, services);
          },
        });
        command(robot, {
          id: 'rocket.launch',
          usage: 'launch rocket',
          summary: 'Launch it',
          examples: ['launch rocket'],
          effect: 'change',
          needs: 'public',
          approval: () => 'approve:launch',
          run: () => 'Launched.',
        });
      },
    });
  });
  afterEach(() => room.destroy());

  async function shown(who: string): Promise<string> {
    await room.user.say(who, 'hubot overview');
    return (room.messagesOnlyTo(who).at(-1) ?? '').replaceAll('\\', '');
  }

  it('says that there is nothing, where there is nothing', async () => {
    expect(await shown('bob'))
      .to.contain('Waits for you: Nothing.')
      .and.contain('No alert is firing')
      .and.contain('Running now: Nothing.')
      .and.contain('`alerts`')
      .and.contain('What runs where?: `hubot deploys`')
      .and.not.contain('deploy hello v2 to production');
  });

  it('shows what a person may decide, with the buttons for it', async () => {
    await room.user.say('alice', 'hubot launch rocket');
    expect(await shown('carol'))
      .to.contain('`launch rocket`: alice asks for approval (`c1`), 1 h more')
      .and.contain('Approve c1: `hubot approve c1`');
    expect(await shown('bob')).to.contain('Waits for you: Nothing.');
    expect(await shown('alice')).to.contain('Waits for you: Nothing.');
    room.chat.privateRooms.set('room1', ['test:alice']);
    expect(await shown('carol')).to.contain('Waits for you: Nothing.');
    room.chat.privateRooms.delete('room1');
    room.chat.privateRooms.set('cabinet', ['test:alice', 'test:carol']);
    await room.user.say('alice', 'hubot launch rocket', { room: 'cabinet' });
    expect(await shown('carol'))
      .to.contain('1 asked for in private')
      .and.contain('(`c1`')
      .and.not.contain('c2');
    await room.press('carol', 'Approve c1');
    expect(await shown('carol'))
      .to.contain('1 asked for in private')
      .and.not.contain('(`c1`');
  });

  it('shows alerts, which are whose, and what is being deployed', async () => {
    open = [alert(1), alert(2, { id: 'test:carol', name: 'carol' }), alert(3, bob)];
    deploying = [running];
    const carol = await shown('carol');
    expect(carol)
      .to.contain('3 alerts firing')
      .and.contain('Yours: #2')
      .and.contain('hubot alerts ack 1')
      .and.contain('#12 **hello** v2 to staging, by bob, for 1 min');
    expect(await shown('alice'))
      .to.contain('3 alerts firing')
      .and.not.contain('alerts ack 1');
  });

  it('is a card for each part where there is room', async () => {
    await room.user.say('carol', 'hubot cards');
    expect(cards.map(({ title }) => title)).to.deep.equal([
      'Nothing waits for you',
      'No alert is firing',
      'Nothing is being deployed',
      'What you can do',
    ]);
    expect(offered).to.deep.equal([
      { title: 'What is up for me?', command: 'overview' },
      { title: 'What is firing?', command: 'alerts' },
      { title: 'What runs where?', command: 'deploys' },
    ]);
    for (let count = 1; count <= 7; count++) await room.user.say('alice', 'hubot launch rocket');
    open = [alert(1), alert(2)];
    deploying = [running];
    await room.user.say('carol', 'hubot cards');
    expect(cards.map(({ title }) => title)).to.deep.equal([
      ...Array<string>(5).fill('alice asks for approval'),
      '2 more wait for you',
      '2 alerts firing',
      'Running now',
      'What you can do',
    ]);
    expect(cards[0]?.actions?.map((action) => action.command)).to.deep.equal(['approve c1', 'refuse c1']);
    expect(cards[6]?.choices?.[0]?.options).to.have.length(2);
  });
});
