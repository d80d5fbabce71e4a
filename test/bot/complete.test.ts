import { expect } from 'chai';
import { createAccess } from '../../src/bot/access.ts';
import { type ArgContext, arg } from '../../src/bot/args.ts';
import { makeCommand } from '../../src/bot/command.ts';
import { complete } from '../../src/bot/complete.ts';
import { CommandTable } from '../../src/bot/table.ts';
import { everybodyInside } from '../support/people.ts';

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

table.add(
  makeCommand({
    id: 'note.find',
    usage: 'notes find [from:<person>] [since:<time>] [--due <due>] [--mine] [query...]',
    summary: 'Find notes',
    examples: ['notes find disk'],
    args: { from: arg.person(), since: arg.time(), due: arg.environment(), mine: arg.flag(), query: arg.text() },
    effect: 'read',
    needs: 'public',
    run: () => undefined,
  }),
);

const access = createAccess({
  policy: { roles: { deployer: ['deploy:staging'] }, everyone: [], people: { 'web:1': ['deployer'] }, groups: {} },
  store: { all: async () => [], add: async () => true, remove: async () => true },
  changed: async () => undefined,
  people: everybodyInside,
  now: () => new Date(),
});

function context(id: string): ArgContext {
  return {
    person: { id, chat: 'web', name: 'x' },
    room: 'general',
    names: {
      services: () => ['api', 'two words'],
      environments: () => ['staging', 'production'],
      people: async () => [
        { id: 'web:1', chat: 'web', name: 'alice' },
        { id: 'web:2', chat: 'web', name: 'Bob Smith' },
      ],
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
    ['', ['deploys', 'deploy', 'notes']],
    ['de', ['deploys', 'deploy']],
    ['deploy ', ['api', 'two words']],
    ['deploy a', ['api']],
    ['deploy api ', ['to']],
    ['deploy api to ', ['staging', 'production']],
    ['deploy api v2 to s', ['staging']],
    ['deploy api to staging', []],
    ['deploys ', ['api', 'two words']],
    ['x', []],
    ['/depl', ['deploys', 'deploy']],
    ['notes ', ['find']],
    ['notes find ', ['from:', 'since:', '--due', '--mine']],
    ['notes find f', ['from:']],
    ['notes find --', ['--due', '--mine']],
    ['notes find from:', ['from:@alice', 'from:@Bob Smith']],
    ['notes find from:al', ['from:@alice']],
    ['notes find from:@b', ['from:@Bob Smith']],
    ['notes find from: ', ['@alice', '@Bob Smith']],
    ['notes find from:@alice ', ['since:', '--due', '--mine']],
    ['notes find from:@alice from:', []],
    ['notes find --due ', ['staging', 'production']],
    ['notes find --due p', ['production']],
    ['notes find --due=s', ['--due=staging']],
    ['notes find --due staging --mine ', ['from:', 'since:']],
    ['notes find disk ', []],
    ['notes find disk si', ['since:']],
    ['notes from:', []],
    ['deploys from:', []],
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

  it('keeps the rest of the line, a slash and quotation marks as they are needed', async () => {
    const lines = async (typed: string) =>
      (await complete(table, access, typed, context('web:1'))).map(({ text }) => text);
    expect(await lines('notes find since:7d from:b')).to.deep.equal(['notes find since:7d from:"@Bob Smith"']);
    expect(await lines('notes find since:"last friday" --m')).to.deep.equal(['notes find since:"last friday" --mine']);
    expect(await lines('/deploys a')).to.deep.equal(['/deploys api']);
  });
});
