import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { greetingCard, WELCOME, WELCOME_WORDS } from '../../src/bot/greeting.ts';

describe('greeting', () => {
  const facts = { robotName: 'shipmate', sample: { service: 'hello', environment: 'production' } };

  it('has four things to try, by pressing and by typing', () => {
    const greeting = greetingCard({ ...facts, isAdmin: true, mayTry: true });
    const [deploy, alert, ask, search] = (greeting.actions ?? []).map((action) => action.command);
    for (const command of [deploy, alert, ask, search]) expect(greeting.text).to.contain(`\`${command}\``);
    expect(deploy).to.equal('deploy hello to production');
    expect(greeting.text).to.contain('`invite bob`').and.not.contain('`roles`');
  });

  it('is what the README says, in the same order', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const [, started = ''] = /^## Start it$(.*?)^## /ms.exec(readme) ?? [];
    const lines = [...started.matchAll(/^\| `([^`]+)` \|/gm)].map(([, line]) => line);
    const { actions = [] } = greetingCard({ ...facts, isAdmin: true, mayTry: true });
    expect(lines).to.deep.equal(actions.map((action) => action.command).filter((command) => command !== 'help'));
  });

  it('lets people search for what the robot has said', () => {
    const { actions = [] } = greetingCard({ ...facts, isAdmin: true, mayTry: true });
    expect(actions.map((action) => action.command)).to.include(`history search "${WELCOME_WORDS}"`);
    expect(WELCOME).to.include(WELCOME_WORDS);
  });

  it('says beforehand what needs a role', () => {
    expect(greetingCard({ ...facts, isAdmin: false, mayTry: false }).text)
      .to.contain('need a role')
      .and.not.contain('invite');
    expect(greetingCard({ ...facts, isAdmin: false, mayTry: true }).text).to.not.contain('role');
  });

  it('in a terminal, says only what can be done there', () => {
    const greeting = greetingCard({ ...facts, isAdmin: true, mayTry: true, inTerminal: true });
    expect(greeting.actions ?? []).to.deep.equal([]);
    expect(greeting.text)
      .to.contain('`deploy hello to production`')
      .and.not.match(/press|invite/i);
    expect(greeting.footer).to.contain('exit');
  });
});
