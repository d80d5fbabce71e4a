import { expect } from 'chai';
import { addressed } from '../../../src/adapters/chat/slack/addressed.ts';

const BOT = 'U0BOT';

describe('whom a Slack message is for', () => {
  const cases: readonly (readonly [text: string, addressed: boolean | 'as its thread', exact: string])[] = [
    ['<@U0BOT> deploy api', true, 'deploy api'],
    ['<@U0BOT|shipmate>: deploy api', true, 'deploy api'],
    ['  <@U0BOT>,   <@U0BOT> deploy api ', true, 'deploy api'],
    ['deploy api <@U0BOT>', true, 'deploy api'],
    ['deploy api, <@U0BOT>!', true, 'deploy api'],
    ['do you know, <@U0BOT>, what runs?', true, 'do you know, <@U0BOT>, what runs?'],
    ['<@U0BOT>', true, ''],
    ['deploy api', 'as its thread', 'deploy api'],
    ['grant <@U2> admin', 'as its thread', 'grant <@U2> admin'],
    ['<@U2> deploy api', false, '<@U2> deploy api'],
    ['<@W2> deploy api', false, '<@W2> deploy api'],
    ['<!subteam^S1|@ops> look', false, '<!subteam^S1|@ops> look'],
    ['<!here> look', false, '<!here> look'],
    ['<@U2> ask <@U0BOT> about it', true, '<@U2> ask <@U0BOT> about it'],
    // Somebody else whose id begins so.
    ['<@U0BOTX> deploy api', false, '<@U0BOTX> deploy api'],
    // Typed, not a mention.
    ['&lt;@U0BOT&gt; deploy api', 'as its thread', '&lt;@U0BOT&gt; deploy api'],
  ];
  for (const [text, whom, exact] of cases) {
    it(text, () => {
      expect(addressed(text, BOT, false)).to.deep.equal({ addressed: whom, exact });
      expect(addressed(text, BOT, true)).to.deep.equal({ addressed: true, exact });
    });
  }

  it('in no time, also for long lines', () => {
    const started = performance.now();
    addressed(`${'<@U0BOT> '.repeat(4_000)}x`, BOT, false);
    addressed(`x${' ,'.repeat(20_000)}`, BOT, false);
    addressed(`x ${'<@U0BOT>x '.repeat(4_000)}`, BOT, false);
    expect(performance.now() - started).to.be.lessThan(500);
  });
});
