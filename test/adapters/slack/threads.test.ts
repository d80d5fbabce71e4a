import { expect } from 'chai';
import { isAgent, threadOf } from '../../../src/adapters/chat/slack/threads.ts';

describe('Slack threads', () => {
  it('know an agent by the scope that comes with its view', () => {
    expect(isAgent(['chat:write', 'assistant:write'])).to.equal(true);
    expect(isAgent(['chat:write'])).to.equal(false);
    expect(isAgent(undefined), 'told nothing').to.equal(false);
  });

  for (const agent of [true, false]) {
    const root = { ts: '1.1' };
    const rootWithReplies = { ts: '1.1', thread_ts: '1.1' };
    const reply = { ts: '1.2', thread_ts: '1.1' };
    const who = agent ? 'an agent' : 'any other app';

    it(`are where people began them in channels, for ${who}`, () => {
      for (const channel of ['C1', 'G1']) {
        expect(threadOf(channel, root, { agent })).to.equal(undefined);
        expect(threadOf(channel, rootWithReplies, { agent })).to.equal(undefined);
        expect(threadOf(channel, reply, { agent })).to.equal('1.1');
      }
    });

    it(`of direct messages, for ${who}`, () => {
      expect(threadOf('D1', root, { agent })).to.equal(agent ? '1.1' : undefined);
      expect(threadOf('D1', rootWithReplies, { agent })).to.equal(agent ? '1.1' : undefined);
      expect(threadOf('D1', reply, { agent })).to.equal('1.1');
    });
  }
});
