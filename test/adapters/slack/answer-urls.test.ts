import { expect } from 'chai';
import { createAnswerUrls } from '../../../src/adapters/chat/slack/answer-urls.ts';
import { quiet } from '../../support/database.ts';

describe('response URLs of Slack', () => {
  let now = 0;
  const urls = (apiUrl?: string) => createAnswerUrls({ apiUrl, now: () => new Date(now), log: quiet });
  const URL = 'https://hooks.slack.com/commands/T1/1/abc';

  beforeEach(() => {
    now = 1_000_000;
  });

  it('are good for five answers to one person in one channel', () => {
    const known = urls();
    known.remember('C1', 'U1', URL);
    expect(known.take('C1', 'U2')).to.equal(undefined);
    expect(known.take('C2', 'U1')).to.equal(undefined);
    const taken = Array.from({ length: 7 }, () => known.take('C1', 'U1'));
    expect(taken).to.deep.equal([URL, URL, URL, URL, URL, undefined, undefined]);
  });

  it('for half an hour', () => {
    const known = urls();
    known.remember('C1', 'U1', URL);
    now += 30 * 60_000;
    expect(known.take('C1', 'U1')).to.equal(undefined);
  });

  it('only where they lead to Slack', () => {
    for (const [url, apiUrl, good] of [
      ['https://hooks.slack.com/actions/1', undefined, true],
      ['https://hooks.slack-gov.com/actions/1', undefined, true],
      ['http://hooks.slack.com/actions/1', undefined, false],
      ['https://hooks.slack.com.example.com/1', undefined, false],
      ['https://evilslack.com/1', undefined, false],
      ['https://user@example.com/hooks.slack.com', undefined, false],
      ['http://127.0.0.1:9/x', undefined, false],
      ['http://127.0.0.1:9/x', 'http://127.0.0.1:9/api/', true],
      ['http://127.0.0.1:8/x', 'http://127.0.0.1:9/api/', false],
      ['not an address', undefined, false],
    ] as const) {
      const known = urls(apiUrl);
      known.remember('C1', 'U1', url);
      expect(known.take('C1', 'U1') !== undefined, url).to.equal(good);
    }
  });

  it('do not pile up', () => {
    const known = urls();
    for (let n = 0; n < 1_500; n++) known.remember(`C${n}`, 'U1', URL);
    expect(known.take('C0', 'U1')).to.equal(undefined);
    expect(known.take('C1499', 'U1')).to.equal(URL);
  });

  it('that do not answer are no trouble', async () => {
    expect(await urls().answer('http://127.0.0.1:1/x', {})).to.equal(false);
  });
});
