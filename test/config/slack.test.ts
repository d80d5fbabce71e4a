import { expect } from 'chai';
import { type SlackFile, slackSchema, slackWorkspaces } from '../../src/config/slack.ts';
import { readVariables } from '../../src/config/variables.ts';

function workspaces(env: Record<string, string>, file: Partial<SlackFile> = {}) {
  const { values, problems } = readVariables(env);
  const found = slackWorkspaces({ ...slackSchema.parse({}), ...file }, values, env);
  return { ...found, problems: [...problems, ...found.problems].map(({ key, message }) => `${key}: ${message}`) };
}

const GOOD = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' };

describe('slack.yaml', () => {
  it('takes the tokens of the main workspace from the variables', () => {
    const { workspaces: found, problems } = workspaces({ ...GOOD, SLACK_API_URL: 'http://127.0.0.1:1/api/' });
    expect(problems).to.deep.equal([]);
    expect(found).to.deep.equal([
      {
        chat: 'slack',
        botToken: 'xoxb-1',
        appToken: 'xapp-1',
        apiUrl: 'http://127.0.0.1:1/api/',
        working: 'reaction',
        reactions: new Map(),
      },
    ]);
  });

  it('takes those of further workspaces from variables of their name', () => {
    const { workspaces: found, problems } = workspaces(
      { ...GOOD, SLACK_EMEA_BOT_TOKEN: 'xoxb-2', SLACK_EMEA_SIGNING_SECRET: 'secret' },
      { workspaces: [{ name: 'emea' }] },
    );
    expect(problems).to.deep.equal([]);
    expect(found[1]).to.include({ chat: 'slack-emea', botToken: 'xoxb-2', signingSecret: 'secret' });
    expect(found[1]).not.to.have.property('appToken');
  });

  it('says which token is missing or of the wrong kind, and never shows one', () => {
    expect(workspaces({}).problems).to.deep.equal([
      'SLACK_BOT_TOKEN: must be set for the adapter slack (docs/guide/slack.md)',
      'SLACK_APP_TOKEN: must be set for Socket Mode, or SLACK_SIGNING_SECRET for HTTP (docs/guide/slack.md)',
    ]);
    const swapped = workspaces({ SLACK_BOT_TOKEN: 'xapp-secret', SLACK_APP_TOKEN: 'xoxb-secret' }).problems;
    expect(swapped.join(), 'each once').not.to.contain('must be set');
    expect(swapped.join()).to.contain('xoxb-').and.contain('xapp-').and.not.contain('-secret');
    const further = workspaces(
      { ...GOOD, SLACK_EMEA_BOT_TOKEN: 'xoxp-secret', SLACK_EMEA_APP_TOKEN: 'xapp-2' },
      { workspaces: [{ name: 'emea' }] },
    ).problems;
    expect(further).to.deep.equal(['SLACK_EMEA_BOT_TOKEN: must be a token that begins with xoxb-']);
  });

  it('needs HTTP where events come by HTTP alone', () => {
    const { problems } = workspaces({ SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: 's', HUBOT_HTTPD: 'false' });
    expect(problems).to.deep.equal(['HUBOT_HTTPD: must be on for Slack by HTTP']);
  });

  it('takes emoji with and without colons, and refuses what is none', () => {
    expect(slackSchema.parse({ reactions: { ':+1:': 'approve', x: 'refuse' } }).reactions).to.deep.equal({
      '+1': 'approve',
      x: 'refuse',
    });
    expect(slackSchema.safeParse({ reactions: { 'no emoji': 'approve' } }).success).to.equal(false);
    expect(slackSchema.safeParse({ workspaces: [{ name: 'EU west' }] }).success).to.equal(false);
  });
});
