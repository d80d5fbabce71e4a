import { expect } from 'chai';
import { greetingCard } from '../../src/bot/greeting.ts';

describe('greeting', () => {
  const facts = { robotName: 'shipmate', sample: { service: 'hello', environment: 'production' } };

  it('has four things to try, by pressing and by typing', () => {
    const greeting = greetingCard({ ...facts, isAdmin: true, mayTry: true });
    const [deploy, alert, ask, search] = (greeting.actions ?? []).map((action) => action.command);
    for (const command of [deploy, alert, ask, search]) expect(greeting.text).to.contain(`\`${command}\``);
    expect(deploy).to.equal('deploy hello to production');
    expect(greeting.text).to.contain('`invite bob`').and.not.contain('`roles`');
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
