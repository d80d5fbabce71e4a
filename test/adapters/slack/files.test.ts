/** The three steps of an upload: https://docs.slack.dev/messaging/working-with-files. */

import { WebClient } from '@slack/web-api';
import { expect } from 'chai';
import { toMessage } from '../../../src/adapters/chat/slack/blocks.ts';
import { createFiles, type FilePlace } from '../../../src/adapters/chat/slack/files.ts';
import { card, plain } from '../../../src/bot/card.ts';
import { failure } from '../../support/failure.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';

const PNG = Buffer.from('iVBORw0KGgo=', 'base64');

describe('files in Slack', () => {
  let slack: SlackServer;
  let web: WebClient;
  let at: FilePlace;
  const asked: string[] = [];
  const files = createFiles({
    ownFile: async (path) => (path === '/deploys/42/log.txt' ? 'all that it said ✓' : undefined),
    async picture(url) {
      asked.push(url);
      return url === '/pictures/1.png' ? { bytes: PNG, type: 'image/png', name: 'errors.png' } : undefined;
    },
  });

  async function posted(text: string): Promise<FilePlace> {
    const channel = slack.channel('ops').id;
    const { ts } = await web.chat.postMessage({ channel, text });
    return { channel, thread: ts ?? '' };
  }
  /** What was shared in the thread. */
  function shared(): { name: string; title: string; alt: string | undefined; content: string }[] {
    return [...slack.workspace.files.values()]
      .filter(({ shares }) =>
        shares.some(({ ts }) => slack.messages('ops').some((one) => one.ts === ts && one.threadTs === at.thread)),
      )
      .map(({ name, title, altText, content }) => ({ name, title, alt: altText, content: content?.toString() ?? '' }));
  }

  before(async () => {
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addChannel({ name: 'ops', members: ['alice', slack.bot.id] });
    web = new WebClient(slack.botToken, { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } });
  });
  beforeEach(async () => {
    at = await posted('a message');
  });
  after(() => slack.close());

  it('hold what does not fit into a message, in its thread, without a description', async () => {
    const text = plain(Array.from({ length: 900 }, (_, n) => `line ${n} of many ✓`).join('\n'));
    await files.attach(web, at, toMessage(card({ title: 'Log', text })));
    const [file, ...others] = shared();
    expect(others).to.deep.equal([]);
    expect(file).to.include({ name: 'log.txt', title: 'log.txt', alt: undefined });
    expect(file?.content).to.contain('line 899 of many ✓');
  });

  it('are texts of our own, whole, and none that is not there', async () => {
    const log = (path: string) => toMessage(card({ title: 'Log', file: { name: 'deployment-42.txt', path } }));
    await files.attach(web, at, log('/deploys/43/log.txt'));
    expect(shared()).to.deep.equal([]);
    await files.attach(web, at, log('/deploys/42/log.txt'));
    expect(shared()).to.deep.equal([
      { name: 'deployment-42.txt', title: 'deployment-42.txt', alt: undefined, content: 'all that it said ✓' },
    ]);
  });

  it('are pictures of our own with what they show, and none from elsewhere', async () => {
    const image = (url: string) => toMessage(card({ title: 'Errors', image: { url, alt: 'Errors a minute' } }));
    await files.attach(web, at, image('/pictures/1.png'));
    expect(shared()).to.deep.equal([
      { name: 'errors.png', title: 'Errors a minute', alt: 'Errors a minute', content: PNG.toString() },
    ]);
    const before = asked.length;
    await files.attach(web, at, image('https://x.example/a.png'));
    expect(asked).to.have.length(before);
    await files.attach(web, at, image('/pictures/2.png'));
    expect(shared()).to.have.length(1);
  });

  it('are uploaded once for a message, also when asked for at once', async () => {
    const message = { files: [{ name: 'a.txt', content: 'a' }] };
    await Promise.all([files.attach(web, at, message), files.attach(web, at, message)]);
    await files.attach(web, at, message);
    expect(shared()).to.have.length(1);
    await files.attach(web, at, { files: [{ name: 'a.txt', content: 'b' }] });
    expect(shared()).to.have.length(2);
    await files.attach(web, at, { files: [{ name: 'c.txt', content: 'b' }] });
    expect(shared().map(({ name }) => name)).to.deep.equal(['a.txt', 'a.txt', 'c.txt']);
  });

  for (const fault of ['cut before', 'cut after', 500] as const) {
    it(`are uploaded again after the upload met ${fault}`, async () => {
      slack.fail('upload', { as: fault });
      await files.attach(web, at, { files: [{ name: 'a.txt', content: `a ${fault}` }] });
      expect(shared().map(({ content }) => content)).to.deep.equal([`a ${fault}`]);
    });
  }

  it('can be tried again after they failed', async () => {
    const message = { files: [{ name: 'a.txt', content: 'again' }] };
    slack.fail('upload', { as: 500, times: 2 });
    expect(await failure(files.attach(web, at, message))).to.be.instanceOf(Error);
    slack.fail('files.completeUploadExternal', { as: 500 });
    expect(await failure(files.attach(web, at, message))).to.be.instanceOf(Error);
    expect(shared()).to.deep.equal([]);
    await files.attach(web, at, message);
    expect(shared()).to.have.length(1);
  });

  it('may be empty', async () => {
    await files.attach(web, at, { files: [{ name: 'empty.txt', content: '' }] });
    expect(shared().map(({ content }) => content)).to.deep.equal(['\n']);
  });

  it('break no rule of Slack', () => {
    slack.assertNoProblems();
  });
});
