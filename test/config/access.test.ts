/** config/access.yaml: people, groups, and what is wrong with them. */

import { expect } from 'chai';
import { accessSchema } from '../../src/config/access.ts';

describe('config/access.yaml', () => {
  it('gives roles to people and to user groups, by id and by handle', () => {
    const file = {
      roles: { deployer: ['deploy:*'] },
      people: { 'slack:U1': ['admin'] },
      groups: { 'slack:S0123': ['deployer'], 'slack-emea:@on-call.eu': ['deployer'] },
    };
    expect(accessSchema.parse(file)).to.deep.equal({
      everyone: [],
      people: file.people,
      groups: file.groups,
      roles: { deployer: ['deploy:*'], admin: ['*'] },
    });
    expect(accessSchema.parse({}).groups).to.deep.equal({});
  });

  const wrong: readonly (readonly [string, object, string])[] = [
    ['a group without its chat', { '@oncall': ['admin'] }, 'chat and id or handle'],
    ['a handle in capitals, which Slack has not', { 'slack:@OnCall': ['admin'] }, 'chat and id or handle'],
    ['a role that does not exist', { 'slack:S1': ['captain'] }, 'no role captain'],
    ['no list of roles', { 'slack:S1': 'admin' }, 'expected array'],
  ];
  for (const [what, groups, problem] of wrong) {
    it(`says what is wrong with ${what}`, () => {
      const parsed = accessSchema.safeParse({ groups });
      expect(JSON.stringify(parsed.error?.issues)).to.contain(problem);
    });
  }
});
