import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import type { ArgContext, ArgType } from '../../src/bot/args.ts';
import type { CommandTable } from '../../src/bot/table.ts';
import type { Alerts } from '../../src/domain/alerts/ports.ts';
import type { Deploys } from '../../src/domain/deploy/ports.ts';
import { inMemoryCommands } from '../support/commands.ts';
import { Helper, type Room } from '../support/room.ts';

/** Given by a button only. */
const PRESSED = new Set(['ask.rate answer']);

const none = async (): Promise<never> => {
  throw new Error('not here');
};
const common = {
  person: { id: 'test:alice', chat: 'test', name: 'alice' },
  room: 'ops',
  now: new Date(0),
  names: { services: () => ['api', 'web'], environments: () => [], people: async () => [], rooms: async () => [] },
};

describe('What forms offer', () => {
  let room: Room;
  let table: CommandTable;

  before(async () => {
    const commands = inMemoryCommands();
    const scripts = readdirSync('scripts').map((name) => `scripts/${name}`);
    room = await new Helper(scripts).createRoom({
      prepare(robot, chat) {
        commands.prepare(robot, chat);
        table = robot.table;
      },
    });
  });
  after(() => room.destroy());

  function type(id: string, name: string): ArgType<unknown> | undefined {
    return table.all().find((command) => command.id === id)?.args[name];
  }

  it('is what there is, for everything that must be given and is no free text', () => {
    const blank = table
      .all()
      .flatMap(({ id, args, patterns }) =>
        Object.entries(args).flatMap(([name, { kind, closed, offers }]) =>
          patterns[0]?.required.has(name) && kind !== 'text' && !closed && !offers ? [`${id} ${name}`] : [],
        ),
      )
      .filter((each) => !PRESSED.has(each));
    expect(blank).to.deep.equal([]);
    expect(type('deploy.start', 'version')?.offers).to.be.a('function');
  });

  it('is called by what it is', async () => {
    const asked: string[] = [];
    const alerts: Alerts = {
      receive: none,
      get: none,
      acknowledge: none,
      test: none,
      context: none,
      refresh: none,
      resolveTest: none,
      catchUp: none,
      async list({ which }) {
        asked.push(which);
        const one = { severity: 'critical', firing: 1, total: 1, openedAt: new Date(0) };
        return {
          total: 2,
          alerts: [
            { ...one, number: 3, title: 'DiskFull', state: 'firing' },
            {
              ...one,
              number: 2,
              title: 'Slow',
              state: 'acknowledged',
              acknowledged: { by: { id: 'x:1', name: 'bob' }, at: new Date(0) },
            },
          ],
        };
      },
    };
    const context: ArgContext = { ...common, services: { alerts } };
    expect(await type('alerts.acknowledge', 'alert')?.offers?.(context)).to.deep.equal([
      { value: '3', label: '#3 DiskFull (firing)' },
      { value: '2', label: '#2 Slow (with bob)' },
    ]);
    await type('alerts.show', 'alert')?.offers?.(context);
    expect(asked).to.deep.equal(['open', 'all']);
  });

  it('asks no program for versions while a line is typed', async () => {
    const asked: string[] = [];
    const deploys: Deploys = {
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
      running: none,
      log: none,
      run: none,
      interrupt: none,
      takeUp: none,
      async versions(service) {
        asked.push(service);
        return ['v2', 'v1'];
      },
    };
    const context: ArgContext = { ...common, services: { deploys } };
    const version = type('deploy.start', 'version');
    expect(await version?.values?.(context)).to.deep.equal([]);
    expect(await version?.values?.({ ...context, given: {} })).to.deep.equal([]);
    expect(await version?.values?.({ ...context, given: { service: 'web' } })).to.deep.equal(['v2', 'v1']);
    expect(asked).to.deep.equal(['web']);
  });
});
