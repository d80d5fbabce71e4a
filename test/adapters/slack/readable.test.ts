/** Names in place of ids, and for how long a message waits for them. */

import { expect } from 'chai';
import pino from 'pino';
import { readable } from '../../../src/adapters/chat/slack/readable.ts';
import { Robot } from '../../../src/bot/robot.ts';

type Looks = Parameters<typeof readable>[1];

const ROBOT = new Robot(null, false, 'shipmate', false, { logger: pino({ level: 'silent' }) });
const NEVER = new Promise<never>(() => undefined);

function looks(given: Partial<{ person: Looks['people']['person']; room: Looks['rooms']['room'] }>): Looks {
  const person: Looks['people']['person'] = async (userId) => ({
    id: `slack:${userId}`,
    chat: 'slack',
    userId,
    name: userId === 'U1' ? 'alice' : 'shipmate',
    active: true,
    outside: false,
    bot: false,
  });
  return {
    robot: ROBOT,
    self: () => ({
      teamId: 'T1',
      teamName: '',
      url: '',
      userId: 'UROBOT',
      botId: 'B1',
      agent: true,
      postsAnywhere: true,
    }),
    people: { person: given.person ?? person, heard: async () => undefined },
    rooms: {
      room: given.room ?? (async () => undefined),
      reachable: async () => true,
      direct: async () => 'D1',
      resolve: async () => undefined,
    },
  };
}

describe('Slack text as people read it', () => {
  after(() => ROBOT.shutdown());

  it('has names, and never the robot’s for somebody else', async () => {
    expect(await readable('<@UROBOT> ask <@U1> and <@U2>', looks({}))).to.equal(
      '@shipmate ask @alice and @\u2060shipmate',
    );
  });

  it('does not wait for a Slack that takes its time: others have something to say as well', async () => {
    const slow = looks({
      person: async (id) => (id === 'U1' ? await looks({}).people.person(id) : NEVER),
      room: () => NEVER,
    });
    const ids = Array.from({ length: 30 }, (_, n) => `<@UNOBODY${n}> <#CNOWHERE${n}>`).join(' ');
    expect(await readable(`<@U1> ${ids}`, slow, 20)).to.match(/^@alice @UNOBODY0 #CNOWHERE0 /);
  });

  it('keeps the id of what cannot be looked up', async () => {
    const away = looks({
      person: () => Promise.reject(new Error('away')),
      room: () => Promise.reject(new Error('away')),
    });
    expect(await readable('<@U1> in <#C1>', away)).to.equal('@U1 in #C1');
  });
});
