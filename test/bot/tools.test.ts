import { expect } from 'chai';
import fc from 'fast-check';
import { arg, type Names } from '../../src/bot/args.ts';
import { type Command, makeCommand } from '../../src/bot/command.ts';
import { matchLine } from '../../src/bot/match.ts';
import { normalise, tokenise } from '../../src/bot/tokens.ts';
import { lineFor, toolOf } from '../../src/bot/tools.ts';

const names: Names = {
  services: () => ['api', 'web'],
  environments: () => ['staging'],
  people: async () => [],
  rooms: async () => [],
};

const deploy = makeCommand({
  id: 'deploy.start',
  usage: 'deploy <service> [version] (to|in) <environment> [--dry-run] [--reason <reason>] [from:<person>]',
  summary: 'Roll out',
  examples: ['deploy api to staging'],
  args: {
    service: arg.service(),
    version: arg.word(),
    environment: arg.environment(),
    dryRun: arg.flag(),
    reason: arg.text(),
    from: arg.person(),
  },
  effect: 'change',
  needs: 'public',
  run: () => undefined,
});
const note = makeCommand({
  id: 'note.add',
  usage: 'note [for <person>] <text...>',
  summary: 'Write down',
  examples: ['note for bob call back'],
  args: { person: arg.person(), text: arg.text() },
  effect: 'read',
  needs: 'public',
  run: () => undefined,
});

function readBack(command: Command, line: string): Record<string, string | true> | undefined {
  const text = normalise(line);
  const [pattern] = command.patterns;
  const match = pattern && matchLine(pattern, text, tokenise(text));
  return match?.kind === 'match' ? Object.fromEntries(match.candidates[0] ?? []) : undefined;
}

describe('commands as tools', () => {
  it('gives a JSON schema with types, allowed values and what is required', () => {
    expect(toolOf(deploy, names)).to.deep.equal({
      name: 'deploy_start',
      description: `Roll out. Typed: ${deploy.usage}`,
      effect: 'change',
      parameters: {
        type: 'object',
        properties: {
          service: { type: 'string', description: 'a service', enum: ['api', 'web'] },
          version: { type: 'string', description: 'one word' },
          environment: { type: 'string', description: 'an environment', enum: ['staging'] },
          dryRun: { type: 'boolean', description: 'yes or no' },
          reason: { type: 'string', description: 'free text' },
          from: { type: 'string', description: 'a person, by name or id' },
        },
        required: ['service', 'environment'],
        additionalProperties: false,
      },
    });
  });

  it('writes the line that a person would type', () => {
    const values = {
      service: 'api',
      version: 'v2',
      environment: 'staging',
      dryRun: true,
      reason: 'two words',
      from: 'al b',
    };
    expect(lineFor(deploy, values)).to.equal('deploy api v2 to staging --dry-run --reason="two words" from:"al b"');
    expect(lineFor(deploy, { service: 'api', environment: 'staging', dryRun: false })).to.equal(
      'deploy api to staging',
    );
    expect(lineFor(note, { text: 'call "him" back' })).to.equal('note call "him" back');
    expect(lineFor(note, { person: 'bob', text: 'call back' })).to.equal('note for bob call back');
  });

  it('whatever the values are, the line gives the same values back or none, never others for other arguments', () => {
    const value = fc
      .string({ minLength: 1, maxLength: 12 })
      .filter((text) => normalise(text) === text && !/["'\u2018-\u201e\u00ab]/.test(text));
    fc.assert(
      fc.property(value, value, value, (service, environment, reason) => {
        const read = readBack(deploy, lineFor(deploy, { service, environment, reason }));
        if (read) expect(read).to.deep.include({ service, environment });
      }),
    );
  });
});
