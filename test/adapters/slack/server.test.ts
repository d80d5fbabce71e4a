/** The fake Slack itself, driven by the official clients as they are. */

import { expect } from 'chai';
import { SocketModeClient } from '@slack/socket-mode';
import { WebClient } from '@slack/web-api';
import { startSlack, type SlackServer } from '../../support/slack/server.ts';


describe('fake Slack', () => {
  let slack: SlackServer;
  beforeEach(async () => {
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addChannel({ name: 'ops', members: ['alice'] });
  });
  afterEach(() => slack.close());

  it('smoke', async () => {
    const web = new WebClient(slack.botToken, { slackApiUrl: slack.apiUrl });
    expect((await web.auth.test()).user_id).to.equal(slack.bot.id);
    const sm = new SocketModeClient({ appToken: slack.appToken, clientOptions: { slackApiUrl: slack.apiUrl } });
    const seen: string[] = [];
    sm.on('slack_event', async ({ ack, body }) => {
      await ack();
      seen.push(body.event?.type ?? body.type ?? body.command);
    });
    await sm.start();
    slack.say('alice', 'ops', 'hi', { mention: true });
    const posted = await web.chat.postMessage({ channel: slack.channel('ops').id, text: 'x', blocks: [{ type: 'actions', elements: [{ type: 'button', text: { type: 'plain_text', text: 'Go' }, action_id: 'go' }] }] });
    const m = await slack.message('ops');
    expect(m.ts).to.equal(posted.ts);
    expect((await slack.press('alice', m, 'Go')).kind).to.equal('acknowledged');
    expect((await slack.slash('alice', 'ops', '/shipmate', 'help')).kind).to.equal('acknowledged');
    await slack.settled();
    console.log(seen);
    slack.assertNoProblems();
    await sm.disconnect();
  });
});
