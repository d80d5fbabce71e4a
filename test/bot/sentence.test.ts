import { expect } from 'chai';
import { isSentence, mayBeSentence, type WrongValue, wantsAnswer } from '../../src/bot/sentence.ts';

describe('a line that begins like a command', () => {
  for (const text of [
    'deploy is stuck, what do I do?',
    'deploy is stuck',
    'deploy failed',
    'deploy not working',
    'alerts never resolve',
    "alerts don't resolve",
    'alerts are firing and nobody is here',
    'what deploys ran today',
    'deploys failed again because the disk is full',
    'audit?',
  ]) {
    it(`is a sentence: ${text}`, () => expect(isSentence(text)).to.equal(true));
  }
  for (const text of [
    'deploy hello v2 producton',
    'deploy hello to',
    'deploy hello again',
    'deploy api staging',
    'alerts ack',
    'alerts ack three',
    'deploy api prod now',
  ]) {
    it(`is a slip: ${text}`, () => expect(isSentence(text)).to.equal(false));
  }
});

describe('a line that fits but for a value', () => {
  function service(typed: string, optional: boolean): WrongValue {
    return { typed, allowed: ['hello', 'web', 'staging'], optional };
  }
  const cases: readonly (readonly [string, WrongValue, boolean])[] = [
    ['deploys keep hanging', service('keep', true), true],
    ['deploys stuck', service('stuck', true), true],
    ['deploys tonight?', service('tonight', true), true],
    ['deploy keeps failing to production', service('keeps', false), true],
    ['deploys helo', service('helo', true), false],
    ['deploys helo?', service('helo', true), false],
    ['deploys helo is slow', service('helo', true), false],
    ['deploys hello stag', service('stag', true), false],
    ['deploys mail', service('mail', true), false],
    ['deploy hello to prod', service('prod', false), false],
    ['deploy it to staging', service('it', false), false],
    ['deploy mail to staging?', service('mail', false), false],
    ['alerts ack it', { typed: 'it', allowed: [], optional: false }, false],
  ];
  for (const [text, wrong, expected] of cases) {
    it(`${text}: ${expected ? 'a sentence' : 'a slip'}`, () => expect(isSentence(text, wrong)).to.equal(expected));
  }

  it('may be either where nothing is like it', () => {
    expect(mayBeSentence('deploys randomly disappear', service('randomly', true))).to.equal(true);
    expect(mayBeSentence('alerts quiet tonight', 'excess')).to.equal(true);
    expect(mayBeSentence('deploy hello again', 'missing')).to.equal(true);
    expect(mayBeSentence('deploys helo now', service('helo', true))).to.equal(false);
    expect(mayBeSentence('deploys mail', service('mail', true))).to.equal(false);
    expect(mayBeSentence('deploy mail to staging', service('mail', false))).to.equal(false);
    expect(mayBeSentence('deploy hello', 'missing')).to.equal(false);
    expect(mayBeSentence('audit', 'excess')).to.equal(false);
  });
});

describe('a line in a thread that is for the robot only because the thread is', () => {
  const cases: readonly (readonly [string, boolean, boolean])[] = [
    [':+1:', false, false],
    [':white_check_mark: :tada:', false, false],
    ['👍', false, false],
    ['thanks!', false, false],
    ['ok, got it', false, false],
    ['', false, false],
    ['it is postgres 14 on web-2', true, false],
    ['I have restarted it', true, false],
    ['and certificates?', true, true],
    ['and how do I check them', true, true],
    ['ok, what about production', true, true],
    ['?', true, true],
    ['diskfull?', true, true],
  ];
  for (const [text, own, others] of cases) {
    it(`${text || 'nothing'}: ${own ? 'answered' : 'left alone'} in their own, ${others ? 'answered' : 'left alone'} in another's`, () => {
      expect(wantsAnswer(text, 'own thread')).to.equal(own);
      expect(wantsAnswer(text, "another's thread")).to.equal(others);
    });
  }
});
