import { expect } from 'chai';
import { createAccess } from '../../src/bot/access.ts';
import { arg, type ArgContext } from '../../src/bot/args.ts';
import { makeCommand } from '../../src/bot/command.ts';
import { complete } from '../../src/bot/complete.ts';
import { CommandTable } from '../../src/bot/table.ts';

const table = new CommandTable();
table.add(
  makeCommand({
    id: 'deploy.start',
    usage: 'deploy <service> [version] to <environment>',
    summary: 'Roll out',
    examples: ['deploy api to staging'],
    args: { service: arg.service(), version: arg.word(), environment: arg.environment() },
    effect: 'change',
    needs: ({ environment }) => `deploy:${environment}`,
    run: () => undefined,
  }),
);
table.add(
  makeCommand({
    id: 'deploy.list',
    usage: 'deploys [service]',
    summary: 'What runs where',
    examples: ['deploys'],
    args: { service: arg.service() },
    effect: 'read',
    needs: 'public',
    run: () => undefined,
  }),
);

const access = createAccess({
  policy: { roles: { deployer: ['deploy:staging'] }, everyone: [], people: { 'web:1': ['deployer'] } },
  store: { all: async () => [], add: async () => true, remove: async () => true },
  changed: async () => undefined,
  now: () => new Date(),
});

function context(id: string): ArgContext {
  return {
    person: { id, chat: 'web', name: 'x' },
    room: 'general',
    names: {
      services: () => ['api', 'two words'],
      environments: () => ['staging', 'production'],
      people: async () => [],
      rooms: async () => [],
    },
    now: new Date(0),
  };
}

async function labels(typed: string, id = 'web:1'): Promise<string[]> {
  return (await complete(table, access, typed, context(id))).map((suggestion) => suggestion.label);
}

describe('completion', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', ['deploys', 'deploy']],
    ['de', ['deploys', 'deploy']],
    ['deploy ', ['api', 'two words']],
    ['deploy a', ['api']],
    ['deploy api ', ['to']],
    ['deploy api to ', ['staging', 'production']],
    ['deploy api v2 to s', ['staging']],
    ['deploy api to staging', []],
    ['deploys ', ['api', 'two words']],
    ['x', []],
  ];
  for (const [typed, expected] of cases) {
    it(`after "${typed}"`, async () => expect(await labels(typed)).to.have.members([...expected]));
  }

  it('offers only what the person may run', async () => {
    expect(await labels('d', 'web:2')).to.deep.equal(['deploys']);
    expect(await labels('deploy api to ', 'web:2')).to.deep.equal([]);
  });

  it('gives a line that can be sent as it is', async () => {
    const [suggestion] = await complete(table, access, 'deploys two', context('web:1'));
    expect(suggestion?.text).to.equal('deploys "two words"');
  });
});
