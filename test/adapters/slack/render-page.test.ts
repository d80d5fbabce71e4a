/** What the renderer of the tests draws: text formats, escaping, and a page that Chromium shows without complaint. */

import { WebClient } from '@slack/web-api';
import { expect } from 'chai';
import { quietLogger } from '../../../src/adapters/chat/slack/quiet.ts';
import { complaintsOf, launchChromium, needsChromium } from '../../support/browser.ts';
import { renderBlocks } from '../../support/slack/render-blocks.ts';
import { mrkdwnHtml } from '../../support/slack/render-mrkdwn.ts';
import { renderPage } from '../../support/slack/render-page.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';

const hostile = '<script>alert(1)</script>"\'&lt;img src=x onerror=alert(1)&gt;';

describe('Slack test server: pictures', () => {
  let slack: SlackServer;

  before(async () => {
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addChannel({ name: 'ops', members: ['alice'], topic: hostile });
  });
  after(() => slack.close());

  it('knows mrkdwn', () => {
    const { id } = slack.person('alice');
    const html = (text: string) => mrkdwnHtml(slack.workspace, text);
    expect(html('*bold* _italic_ ~gone~ `a*b*`')).to.equal('<b>bold</b> <i>italic</i> <s>gone</s> <code>a*b*</code>');
    expect(html('*all _of_ it*')).to.equal('<b>all <i>of</i> it</b>');
    expect(html('2*3*4 a_b_c')).to.equal('2*3*4 a_b_c');
    expect(html(`<@${id}> <!here> <#${slack.channel('ops').id}>`)).to.equal(
      '<span class="mention">@alice</span> <span class="mention">@here</span> <span class="mention">#ops</span>',
    );
    expect(html('<https://example.com/?a=1&amp;b=2|see>')).to.equal(
      '<a href="https://example.com/?a=1&amp;b=2">see</a>',
    );
    expect(html('<javascript:alert(1)|see>')).to.equal('see');
    expect(html('a\n```\n<b> &lt;i&gt;\n```\nb')).to.equal('a<pre>&lt;b&gt; &lt;i&gt;</pre>b');
    expect(html('&gt; quoted\nnot')).to.equal('<blockquote>quoted</blockquote>not');
    expect(html('a &lt;b&gt; :rocket: :nothing:')).to.equal('a &lt;b&gt; 🚀 :nothing:');
  });

  it('escapes everything', () => {
    const text = { type: 'mrkdwn', text: hostile };
    const plain = { type: 'plain_text', text: hostile };
    const html = renderBlocks(
      slack.workspace,
      [
        { type: 'header', text: plain },
        {
          type: 'section',
          text,
          fields: [text, plain],
          accessory: { type: 'image', image_url: hostile, alt_text: hostile },
        },
        { type: 'actions', elements: [{ type: 'button', text: plain, style: hostile }] },
        {
          type: 'context',
          elements: [text, { type: 'image', image_url: 'data:image/png;base64,"onload=x', alt_text: hostile }],
        },
        {
          type: 'input',
          block_id: 'i',
          label: plain,
          element: { type: 'plain_text_input', placeholder: plain, initial_value: hostile },
        },
        { type: 'markdown', text: `${hostile}\n[x](javascript:alert(1)) ![x](https://example.com/a.png)` },
        { type: 'table', rows: [[{ type: 'raw_text', text: hostile }]] },
        { type: hostile },
      ],
      { errors: { i: hostile } },
    );
    expect(html).not.to.match(/<script|<img|<iframe|href="javascript/i);
  });

  it('draws a channel, a modal and an App Home', async function () {
    this.timeout(60_000);
    needsChromium(this);
    const web = new WebClient(slack.botToken, { slackApiUrl: slack.apiUrl, logger: quietLogger() });
    const asked = slack.say('alice', 'ops', 'deploy api v1.4.2 to production', { mention: true });
    await web.chat.postMessage({
      channel: slack.channel('ops').id,
      thread_ts: asked.ts,
      text: 'x',
      username: 'deployer',
      icon_emoji: ':rocket:',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: 'Deploy api to production' } },
        {
          type: 'section',
          text: { type: 'mrkdwn', text: 'Wants *v1.4.2*, has `v1.4.1` <https://example.com|changes>' },
          fields: [
            { type: 'mrkdwn', text: '*Asked by*\nalice' },
            { type: 'mrkdwn', text: '*Needs*\na second person' },
          ],
          accessory: {
            type: 'overflow',
            action_id: 'o',
            options: [{ text: { type: 'plain_text', text: 'x' }, value: 'x' }],
          },
        },
        {
          type: 'actions',
          elements: [
            { type: 'button', text: { type: 'plain_text', text: 'Approve' }, action_id: 'a', style: 'primary' },
            { type: 'button', text: { type: 'plain_text', text: 'Reject' }, action_id: 'r', style: 'danger' },
            {
              type: 'static_select',
              action_id: 's',
              placeholder: { type: 'plain_text', text: 'Another version' },
              options: [{ text: { type: 'plain_text', text: 'v1.4.1' }, value: 'v1.4.1' }],
            },
          ],
        },
        { type: 'context', elements: [{ type: 'mrkdwn', text: '⚠️ proposal 7f3a, ends in 30 minutes' }] },
      ],
    });
    const picture = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="60"><rect width="200" height="60" fill="#1264a3"/></svg>',
    );
    await web.filesUploadV2({
      channel_id: slack.channel('ops').id,
      file: picture,
      filename: 'load.svg',
      alt_text: 'Load',
    });
    await web.chat.postEphemeral({
      channel: slack.channel('ops').id,
      user: slack.person('alice').id,
      text: 'Only *you*',
    });
    await web.views.publish({
      user_id: slack.person('alice').id,
      view: { type: 'home', blocks: [{ type: 'divider' }] },
    });
    const html = renderPage(slack.workspace, [
      { kind: 'channel', channel: slack.channel('ops'), seenBy: slack.person('alice').id },
      { kind: 'home', view: await slack.home('alice') },
    ]);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage({ viewport: { width: 800, height: 600 } });
      const complaints = complaintsOf(page);
      await page.setContent(html);
      expect(complaints).to.deep.equal([]);
      expect(await page.locator('.thread .button.primary').textContent()).to.equal('Approve');
      expect(await page.locator('.thread .name').textContent()).to.equal('deployer');
      expect(await page.locator('.only').textContent()).to.contain('Only visible to you');
      expect(await page.locator('.thread .avatar svg').count()).to.equal(1);
      const drawn = await page.locator('img').evaluate((image) => ('naturalWidth' in image ? image.naturalWidth : 0));
      expect(drawn).to.equal(200);
    } finally {
      await browser.close();
    }
  });
});
