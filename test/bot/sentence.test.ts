import { expect } from 'chai';
import { isSentence } from '../../src/bot/sentence.ts';

describe('a line that begins like a command', () => {
  for (const text of [
    'deploy is stuck, what do I do?',
    'alerts are firing and nobody is here',
    'what deploys ran today',
    'deploys failed again because the disk is full',
    'audit?',
  ]) {
    it(`is a sentence: ${text}`, () => expect(isSentence(text, text.split(' ').length)).to.equal(true));
  }
  for (const text of [
    'deploy hello v2 producton',
    'deploy hello to',
    'alerts ack',
    'alerts ack three',
    'deploy api prod now',
  ]) {
    it(`is a slip: ${text}`, () => expect(isSentence(text, text.split(' ').length)).to.equal(false));
  }
});
