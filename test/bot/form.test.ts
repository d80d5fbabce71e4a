import { expect } from 'chai';
import { createAccess } from '../../src/bot/access.ts';
import { arg } from '../../src/bot/args.ts';
import { makeCommand } from '../../src/bot/command.ts';
import { createForms, type Form } from '../../src/bot/form.ts';
import { CommandTable } from '../../src/bot/table.ts';
import { everybodyInside } from '../support/people.ts';

const table = new CommandTable();
const common = { summary: 'Some thing', examples: [], effect: 'read', run: () => undefined } as const;
for (const command of [
  makeCommand({
    ...common,
    id: 'deploy.start',
    usage: 'deploy <service> [version] to <environment>',
    args: { service: arg.service(), version: arg.word(), environment: arg.environment() },
    needs: 'deploy:staging',
  }),
  makeCommand({
    ...common,
    id: 'deploy.list',
    usage: 'deploys [service] [environment]',
    args: { service: arg.service(), environment: arg.environment() },
    needs: 'public',
  }),
  makeCommand({
    ...common,
    id: 'deploy.log',
    usage: 'deploys log <number>',
    args: { number: arg.integer({ min: 1 }) },
    needs: 'public',
  }),
  makeCommand({
    ...common,
    id: 'alerts.silence',
    usage: 'alerts silence <alert> [--dry-run] [--for <for>] [note...]',
    aliases: ['silence <alert> [note...]'],
    args: { alert: arg.integer({ min: 1 }), dryRun: arg.flag(), for: arg.duration(), note: arg.text() },
    needs: 'public',
  }),
  makeCommand({
    ...common,
    id: 'pages.open',
    usage: 'pages open <book> <page>',
    args: {
      book: arg.word(async () => {
        throw new Error('cannot be looked up');
      }),
      page: arg.integer({
        min: 1,
        offers: ({ given }) => [
          { value: '12', label: `#12 The disk of ${given?.['book'] ?? '?'}` },
          { value: '21', label: `#21 Certificates of ${given?.['book'] ?? '?'}` },
        ],
      }),
    },
    needs: 'public',
  }),
  makeCommand({
    ...common,
    id: 'access.grant',
    usage: 'grant <person>',
    args: { person: arg.person() },
    needs: 'public',
  }),
]) {
  table.add(command);
}

const alice = { id: 'web:1', chat: 'web', name: 'alice' };
const bob = { id: 'web:2', chat: 'web', name: 'bob' };
const forms = createForms({
  table,
  access: createAccess({
    policy: { roles: { deployer: ['deploy:*'] }, everyone: [], people: { 'web:1': ['deployer'] }, groups: {} },
    store: { all: async () => [], add: async () => true, remove: async () => true },
    people: everybodyInside,
    changed: async () => undefined,
    now: () => new Date(),
  }),
  names: {
    services: () => ['api', 'two words', 'web'],
    environments: () => ['staging', 'production'],
    people: async () => [alice, bob],
    rooms: async () => [],
  },
  now: () => new Date('2026-11-20T08:00:00Z'),
});

async function given(text: string, person = alice): Promise<Record<string, string | undefined> | undefined> {
  const form = await forms.form(text, person, 'ops');
  return form && Object.fromEntries([['', form.commandId], ...form.fields.map(({ name, value }) => [name, value])]);
}

describe('bot/form', () => {
  it('knows which command is meant and keeps what was given', async () => {
    const nothing = { service: undefined, version: undefined, environment: undefined };
    const start = { '': 'deploy.start', ...nothing };
    const cases: [string, object | undefined][] = [
      ['deploy', start],
      ['deploy api', { ...start, service: 'api' }],
      ['deploy API', { ...start, service: 'api' }],
      ['deploy api v2', { ...start, service: 'api', version: 'v2' }],
      ['deploy to production', { ...start, environment: 'production' }],
      ['deploy "two words" staging', { ...start, service: 'two words', environment: 'staging' }],
      ['deploys log', { '': 'deploy.log', number: undefined }],
      [
        'alerts silence',
        { '': 'alerts.silence', alert: undefined, note: undefined, dryRun: undefined, for: undefined },
      ],
      [
        'alerts silence --dry-run --for=2h',
        { '': 'alerts.silence', alert: undefined, note: undefined, dryRun: 'true', for: '2h' },
      ],
      ['silence', { '': 'alerts.silence', alert: undefined, note: undefined, dryRun: undefined, for: undefined }],
    ];
    for (const [text, expected] of cases) expect(await given(text), text).to.deep.equal(expected);
  });

  it('asks nothing where nothing lacks, nothing is meant, or something else is wrong', async () => {
    for (const text of [
      'deploy api to staging',
      'deploys',
      'deploys log 3',
      'hello',
      'deploy api v1 to staging now please',
      '',
    ]) {
      expect(await given(text), text).to.equal(undefined);
    }
  });

  it('shows no form of a command that the person may not run', async () => {
    expect(await given('deploy', bob)).to.equal(undefined);
    expect(
      await forms.options({ commandId: 'deploy.start', field: 'service', typed: '', person: bob, room: 'ops' }),
    ).to.deep.equal([]);
  });

  it('says of each field what it takes', async () => {
    const deploy: Form | undefined = await forms.form('deploy', alice, 'ops');
    expect(deploy).to.deep.equal({
      commandId: 'deploy.start',
      title: 'deploy',
      summary: 'Some thing',
      fields: [
        {
          name: 'service',
          label: 'Service',
          required: true,
          kind: 'choice',
          hint: 'A service',
          values: ['api', 'two words', 'web'],
        },
        { name: 'version', label: 'Version', required: false, kind: 'word', hint: 'One word' },
        {
          name: 'environment',
          label: 'Environment',
          required: true,
          kind: 'choice',
          hint: 'An environment',
          values: ['staging', 'production'],
        },
      ],
    });
    const silence = await forms.form('alerts silence', alice, 'ops');
    expect(silence?.title).to.equal('alerts silence');
    expect(silence?.fields.map(({ name, label, kind, required }) => [name, label, kind, required])).to.deep.equal([
      ['alert', 'Alert', 'word', true],
      ['note', 'Note', 'text', false],
      ['dryRun', 'Dry run', 'flag', false],
      ['for', 'For', 'word', false],
    ]);
    expect(silence?.fields.at(-1)?.hint).to.contain('for example 15m, 1h');
    expect((await forms.form('grant', alice, 'ops'))?.fields[0]?.values).to.deep.equal(['@alice', '@bob']);
  });

  it('finds values while they are typed', async () => {
    const asked = { person: alice, room: 'ops' };
    const options = async (field: string, typed: string, commandId = 'deploy.start') =>
      (await forms.options({ commandId, field, typed, ...asked })).map(({ value }) => value);
    expect(await options('service', 'W')).to.deep.equal(['web', 'two words']);
    expect(await options('service', '')).to.have.length(3);
    expect(await options('version', '')).to.deep.equal([]);
    expect(await options('nonsense', '')).to.deep.equal([]);
    expect(await options('person', 'bo', 'access.grant')).to.deep.equal(['@bob']);
  });

  it('offers what there is by what it is called, and takes what is not among it', async () => {
    const options = async (typed: string, given = {}) =>
      await forms.options({ commandId: 'pages.open', field: 'page', typed, person: alice, room: 'ops', given });
    expect((await forms.form('pages open', alice, 'ops'))?.fields).to.deep.equal([
      { name: 'book', label: 'Book', required: true, kind: 'offered', hint: 'One word' },
      { name: 'page', label: 'Page', required: true, kind: 'offered', hint: 'A whole number of at least 1' },
    ]);
    expect(await options('', { book: 'b1' })).to.deep.equal([
      { value: '12', label: '#12 The disk of b1' },
      { value: '21', label: '#21 Certificates of b1' },
    ]);
    expect(await options('certi')).to.deep.equal([{ value: '21', label: '#21 Certificates of ?' }]);
    expect((await options('2')).map(({ value }) => value)).to.deep.equal(['21', '12', '2']);
    expect((await options('21')).map(({ value }) => value)).to.deep.equal(['21']);
    const book = { commandId: 'pages.open', field: 'book', person: alice, room: 'ops' };
    expect(await forms.options({ ...book, typed: 'mine' }), 'although the list failed').to.deep.equal([
      { value: 'mine', label: 'mine' },
    ]);
    expect(await forms.options({ ...book, typed: '' })).to.deep.equal([]);
  });

  it('gives the line that somebody would have typed', async () => {
    const fill = (id: string, values: Record<string, string | boolean>) => forms.fill(id, values, alice, 'ops');
    expect(await fill('deploy.start', { service: 'two words', environment: 'staging' })).to.deep.equal({
      line: 'deploy "two words" to staging',
    });
    expect(
      await fill('alerts.silence', { alert: ' 3 ', note: 'disk is “extended” now', dryRun: true, for: '2h' }),
    ).to.deep.equal({ line: 'alerts silence 3 disk is “extended” now --dry-run --for=2h' });
  });

  it('says by field what is wrong', async () => {
    const wrong = await forms.fill('deploy.start', { service: 'nope', version: '' }, alice, 'ops');
    expect(wrong).to.deep.equal({
      problems: {
        service: 'There is no service "nope". Give api, two words, web',
        environment: 'This must be given.',
      },
    });
    const text = await forms.fill('alerts.silence', { alert: '0' }, alice, 'ops');
    expect(text).to.deep.equal({ problems: { alert: 'Give a whole number of at least 1.' } });
  });

  it('fills no form of a command that is not there for the person', async () => {
    const failed: unknown = await forms.fill('deploy.start', {}, bob, 'ops').catch((error: unknown) => error);
    expect(failed).to.have.property('code', 'command.unknown');
  });
});
