import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import { EnterMessage, type ListenerCallback, TextMessage } from 'hubot';
import pino from 'pino';
import { withoutName, withoutSlash } from '../../src/bot/addressed.ts';
import { Robot } from '../../src/bot/robot.ts';
import { commandsInHeader } from '../../src/bot/script-header.ts';
import { Helper, MemoryChat, type Room, type RoomOptions } from '../support/room.ts';

let room: Room;

async function open(options: RoomOptions = {}): Promise<Room> {
  room = await new Helper([]).createRoom(options);
  return room;
}

afterEach(() => room?.destroy());

describe('withoutName', () => {
  const cases: [string, string | undefined][] = [
    ['shipmate deploy api', 'deploy api'],
    ['Shipmate deploy api', 'deploy api'],
    ['@shipmate deploy api', 'deploy api'],
    ['shipmate: deploy api', 'deploy api'],
    ['shipmate,deploy api', 'deploy api'],
    ['  @SHIPMATE:   deploy api  ', 'deploy api'],
    ['shipmate', ''],
    ['`shipmate deploy api`', 'deploy api'],
    ['!deploy api', 'deploy api'],
    ['! deploy api', 'deploy api'],
    ['shipmates are great', undefined],
    ["shipmate's down", undefined],
    ['shipmaté help', undefined],
    ['ask shipmate', undefined],
    ['deploy api', undefined],
    ['', undefined],
  ];
  for (const [text, rest] of cases) {
    it(`takes ${JSON.stringify(text)} as ${JSON.stringify(rest)}`, () => {
      expect(withoutName(text, { name: 'shipmate', alias: '!' })).to.equal(rest);
    });
  }
  it('knows an alias that begins like the name, and signs in names', () => {
    expect(withoutName('megan hi', { name: 'meg', alias: 'megan' })).to.equal('hi');
    expect(withoutName('r.2 hi', { name: 'r.2', alias: '/' })).to.equal('hi');
    expect(withoutName('rx2 hi', { name: 'r.2', alias: '/' })).to.equal(undefined);
    expect(withoutName('/hi', { name: 'r.2', alias: '/' })).to.equal('hi');
  });
});

describe('withoutSlash', () => {
  const cases: [string, string][] = [
    ['/deploys', 'deploys'],
    ['/deploys api', 'deploys api'],
    ['/etc is full', '/etc is full'],
    ['/deploys/log', '/deploys/log'],
    ['//deploys', '//deploys'],
    ['deploys /deploys', 'deploys /deploys'],
    ['/', '/'],
  ];
  for (const [text, rest] of cases) {
    it(`takes ${text} as ${rest}`, () => expect(withoutSlash(text, (word) => word === 'deploys')).to.equal(rest));
  }
});

describe('Robot: the way of a message', () => {
  it('records, dispatches, listens, falls back, in that order', async () => {
    const steps: string[] = [];
    await open();
    room.robot.pipeline = {
      record: async (message) => void steps.push(`record ${message.text}`),
      dispatch: async (_message, text) => {
        steps.push(`dispatch ${text}`);
        return text === 'known' ? 'handled' : 'not a command';
      },
      fallback: async (_message, text) => void steps.push(`fallback ${text}`),
    };
    room.robot.receiveMiddleware(async (_context) => void steps.push('middleware'));
    room.robot.hear(/heard|known/, () => void steps.push('listener'));
    await room.user.say('alice', 'hubot known');
    await room.user.say('alice', 'hubot heard');
    await room.user.say('alice', 'hubot stray');
    await room.user.say('alice', 'stray');
    expect(steps).to.deep.equal([
      'record hubot known',
      'middleware',
      'dispatch known',
      'record hubot heard',
      'middleware',
      'dispatch heard',
      'listener',
      'fallback heard',
      'record hubot stray',
      'middleware',
      'dispatch stray',
      'middleware',
      'fallback stray',
      'record stray',
      'middleware',
      'middleware',
    ]);
  });

  it('does not record what the adapter has stored', async () => {
    const recorded: string[] = [];
    await open();
    room.robot.pipeline.record = async ({ text }) => void recorded.push(text);
    await room.user.say('alice', 'one', { stored: true });
    await room.user.say('alice', 'two');
    expect(recorded).to.deep.equal(['two']);
  });

  it('takes a button and a direct message without the name, for commands and for respond', async () => {
    await open();
    room.robot.pipeline.dispatch = async (_message, text) => (text === 'go' ? 'handled' : 'not a command');
    room.robot.respond(/ping$/, (res) => res.send(`pong ${res.message.text}`));
    await room.user.say('alice', 'ping');
    await room.user.say('alice', 'ping', { addressed: true });
    expect(room.messages).to.deep.equal([
      ['alice', 'ping'],
      ['alice', 'ping'],
      ['hubot', 'pong ping'],
    ]);
  });

  it("gives a command the chat's own notation, and everybody else what people read", async () => {
    const got: string[] = [];
    await open();
    const { pipeline } = room.robot;
    pipeline.record = async ({ text }) => void got.push(`recorded ${text}`);
    pipeline.dispatch = async (_message, text) => {
      got.push(`command ${text}`);
      return 'not a command';
    };
    pipeline.fallback = async (_message, text) => void got.push(`fallback ${text}`);
    const more = { addressed: true, exact: 'who is <@U1>?' };
    await room.user.say('alice', '@hubot who is @bob?', more);
    // A name is no address: this is said to somebody who is called like the robot.
    await room.user.say('alice', '@hubot who are you?', { exact: '<@U2> who are you?' });
    expect(got).to.deep.equal([
      'recorded @hubot who is @bob?',
      'command who is <@U1>?',
      'fallback who is @bob?',
      'recorded @hubot who are you?',
    ]);
  });

  it('gives what a catch-all answered to no fallback', async () => {
    let fallbacks = 0;
    await open();
    room.robot.pipeline.fallback = async () => void (fallbacks += 1);
    let answer = false;
    room.robot.catchAll(async (res) => void (answer && (await res.send('what?'))));
    await room.user.say('alice', 'hubot stray');
    expect(fallbacks).to.equal(1);
    answer = true;
    await room.user.say('alice', 'hubot stray');
    expect(fallbacks).to.equal(1);
    expect(room.messages.at(-1)).to.deep.equal(['hubot', 'what?']);
  });

  describe('a listener that hears everything', () => {
    let fallbacks: string[];
    let server: Server;
    let url: string;

    before(async () => {
      server = createServer((_request, response) => response.end('body'));
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      const address = server.address();
      url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });
    beforeEach(async () => {
      fallbacks = [];
      await open();
      room.robot.pipeline.fallback = async (_message, text) => void fallbacks.push(text);
    });

    const answers: [string, ListenerCallback][] = [
      ['that answers', async (res) => res.send('yes')],
      ['that answers and does not wait', (res) => void res.send('yes')],
      [
        'that answers what it fetches',
        (res) => void res.http(url).get()((_error, _answer, body) => res.send(`${body}`)),
      ],
      ['that answers by the robot', (res) => void res.robot.messageRoom(res.message.room, 'yes')],
      [
        'that answers by the robot what it fetches',
        (res) => void res.robot.http(url).get()(() => res.robot.send(res.envelope, 'yes')),
      ],
      ['that ends the message', (res) => res.finish()],
      [
        'that says it in other words',
        (res) => res.robot.receive(new TextMessage(res.message.user, 'other words', '9')),
      ],
    ];
    for (const [name, listener] of answers) {
      it(`${name} is the answer`, async () => {
        room.robot.hear(/hubot ./, listener);
        await room.user.say('alice', 'hubot why?');
        expect(fallbacks).to.deep.equal([]);
      });
    }

    const silences: [string, ListenerCallback][] = [
      ['that is silent', () => undefined],
      ['that keeps what was said elsewhere', (res) => void res.http(url).post(res.message.text)(() => undefined)],
      ['that repeats what was said in another room', (res) => res.robot.messageRoom('log', res.message.text)],
    ];
    for (const [name, listener] of silences) {
      it(`${name} leaves the answer to the robot, and what is not for it alone`, async () => {
        let caught = 0;
        room.robot.catchAll(() => void (caught += 1));
        room.robot.hear(/./, listener);
        await room.user.say('alice', 'hubot why?');
        await room.user.say('alice', 'why?');
        await room.user.say('alice', 'why, robot?', { addressed: true });
        expect([fallbacks, caught]).to.deep.equal([['why?', 'why, robot?'], 0]);
      });
    }

    it('that fails has been told of, which is an answer', async () => {
      room.robot.pipeline.failed = async () => undefined;
      room.robot.hear(/./, () => {
        throw new Error('boom');
      });
      await room.user.say('alice', 'hubot why?');
      expect(fallbacks).to.deep.equal([]);
    });

    it('does not take what a silent respond or a listener of its own has taken', async () => {
      room.robot.hear(/./, () => undefined);
      room.robot.respond(/later/, () => undefined);
      room.robot.listen(
        (message) => message instanceof TextMessage && message.text.includes('my own'),
        () => undefined,
      );
      await room.user.say('alice', 'hubot later');
      await room.user.say('alice', 'hubot my own');
      expect(fallbacks).to.deep.equal([]);
    });
  });

  it('sees people come and go', async () => {
    const seen: string[] = [];
    await open();
    room.robot.enter((res) => void seen.push(`+${res.message.user.name}`));
    room.robot.leave((res) => void seen.push(`-${res.message.user.name}`));
    await room.user.enter('alice');
    await room.user.leave('alice');
    expect(seen).to.deep.equal(['+alice', '-alice']);
    expect(room.robot.addressed(new EnterMessage(room.person('alice')))).to.equal(undefined);
  });
});

describe('Robot: fails closed', () => {
  const boom = new Error('boom');
  let failed: [unknown, string][];
  let ran: string[];

  async function failing(): Promise<Room> {
    failed = [];
    ran = [];
    await open();
    room.robot.pipeline = {
      dispatch: async (_message, text) => {
        ran.push(`dispatch ${text}`);
        return 'not a command';
      },
      failed: async (error, message) => {
        failed.push([error, message instanceof TextMessage ? message.text : '']);
        await room.chat.send({ room: room.name }, 'something went wrong');
      },
    };
    room.robot.hear(/x/, async (res) => {
      ran.push('listener');
      await res.send('answer');
    });
    return room;
  }

  it('stops a message whose receive middleware throws', async () => {
    await failing();
    room.robot.receiveMiddleware(async (_context) => {
      throw boom;
    });
    await room.user.say('alice', 'hubot x');
    expect(ran).to.deep.equal([]);
    expect(failed).to.deep.equal([[boom, 'hubot x']]);
    expect(room.messages.at(-1)).to.deep.equal(['hubot', 'something went wrong']);
  });

  it('does not call a listener whose middleware throws', async () => {
    await failing();
    room.robot.listenerMiddleware((_context) => {
      throw boom;
    });
    await room.user.say('alice', 'x');
    expect(ran).to.deep.equal([]);
    expect(failed).to.deep.equal([[boom, 'x']]);
  });

  it('does not send an answer whose middleware throws', async () => {
    await failing();
    room.robot.responseMiddleware(async (_context) => {
      throw boom;
    });
    await room.user.say('alice', 'x');
    expect(failed).to.deep.equal([[boom, 'x']]);
    expect(room.messages).to.deep.equal([
      ['alice', 'x'],
      ['hubot', 'something went wrong'],
    ]);
  });

  it('does nothing with a message that cannot be recorded', async () => {
    await failing();
    room.robot.pipeline.record = async () => {
      throw boom;
    };
    await room.user.say('alice', 'hubot x');
    expect(ran).to.deep.equal([]);
    expect(failed).to.deep.equal([[boom, 'hubot x']]);
  });

  it('stops when the dispatch throws', async () => {
    await failing();
    room.robot.pipeline.dispatch = async () => {
      throw boom;
    };
    await room.user.say('alice', 'hubot x');
    expect(ran).to.deep.equal([]);
    expect(failed).to.deep.equal([[boom, 'hubot x']]);
  });

  it('tells of a listener that throws, and goes on with the next', async () => {
    await failing();
    room.robot.hear(/y/, () => {
      throw boom;
    });
    room.robot.hear(/y/, async (res) => res.send('second'));
    await room.user.say('alice', 'y');
    expect(failed).to.deep.equal([[boom, 'y']]);
    expect(room.messages.at(-1)).to.deep.equal(['hubot', 'second']);
  });

  it('outlives a failed that throws, and an answer that cannot be sent', async () => {
    await failing();
    room.robot.pipeline.failed = async () => {
      throw new Error('again');
    };
    room.robot.hear(/z/, (res) => {
      void res.send('never sent');
    });
    room.chat.send = async () => {
      throw boom;
    };
    await room.user.say('alice', 'z');
    expect(room.messages).to.deep.equal([['alice', 'z']]);
  });

  it('outlives a text to a room that cannot be sent and that nobody waits for', async () => {
    await failing();
    room.chat.send = async () => {
      throw boom;
    };
    room.robot.hear(/w/, () => {
      void room.robot.messageRoom('ops', 'never sent');
    });
    await room.user.say('alice', 'w');
    expect(await room.robot.messageRoom('ops', 'x').catch((error: unknown) => error)).to.equal(boom);
  });

  it('lets middleware stop a message without an error', async () => {
    await failing();
    room.robot.receiveMiddleware(async (_context) => false);
    await room.user.say('alice', 'hubot x');
    expect(ran).to.deep.equal([]);
    expect(failed).to.deep.equal([]);
  });

  it('has no command bus', async () => {
    await open();
    expect(() => room.robot.commands.register()).to.throw('command(robot, …)');
  });
});

describe('Robot: several chats', () => {
  it('answers where it was asked', async () => {
    await open();
    const other = Object.assign(new MemoryChat(room.robot, 'home'), { chat: 'other' });
    room.robot.addChat(other);
    room.robot.hear(/hi/, async (res) => res.reply('hello'));
    await room.user.say('alice', 'hi', { chat: 'other' });
    await room.robot.messageRoom('other:ops', 'from far');
    await room.robot.messageRoom('ops', 'from here');
    expect(other.posts.map(({ room, text }) => [room, text])).to.deep.equal([
      ['room1', '@alice hello'],
      ['ops', 'from far'],
    ]);
    expect(room.chat.posts.at(-1)?.text).to.equal('from here');
  });

  it('knows people and places by chat', async () => {
    await open();
    const message = new TextMessage(room.person('alice'), 'hi', '1');
    expect(room.robot.personOf(message)).to.deep.equal({ id: 'test:alice', chat: 'test', name: 'alice' });
    Object.assign(message, { chat: 'slack', personId: 'slack:U1', thread: '17' });
    expect(room.robot.personOf(message).id).to.equal('slack:U1');
    expect(room.robot.addressOf(message)).to.deep.equal({ chat: 'slack', room: 'room1', thread: '17' });
  });
});

describe('Robot: life', () => {
  it('lets a message under way end before it shuts down', async () => {
    await open();
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    room.robot.hear(/slow/, async (res) => {
      begun.resolve();
      await goOn.promise;
      await res.send('done');
    });
    const said = room.user.say('alice', 'slow');
    await begun.promise;
    expect(await room.robot.idle(1)).to.equal('still busy');
    const closed = room.robot.close(5000);
    goOn.resolve();
    await Promise.all([said, closed]);
    expect(room.messages.at(-1)).to.deep.equal(['hubot', 'done']);
  });

  it('shuts down although a script throws while the brain is saved, and outlives later errors', async () => {
    await open();
    room.robot.brain.on('save', () => {
      throw new Error('disk full');
    });
    room.robot.shutdown();
    room.robot.emit('error', new Error('late'));
  });
});

describe('commandsInHeader', () => {
  it('reads line comments, hashes and blocks, and no documentation of functions', () => {
    const lines = (source: string) => commandsInHeader(source);
    expect(
      lines("'use strict'\n\n// Description:\n//   x\n//\n// Commands:\n//   hubot a - A\n// Author:\n//  b\n"),
    ).to.deep.equal(['hubot a - A']);
    expect(lines('# Commands:\n#   hubot a - A\n#   hubot b\nx = 1\n# Commands:\n#   no')).to.deep.equal([
      'hubot a - A',
      'hubot b',
    ]);
    expect(lines('/*\n * Commands:\n *   hubot a - A\n */\nx()')).to.deep.equal(['hubot a - A']);
    expect(lines('###\nCommands:\n  hubot a\n###\n')).to.deep.equal(['hubot a']);
    expect(lines('# Commands:\n#   None\n')).to.deep.equal([]);
    expect(lines('/** Deploys. */\nexport default function () {}')).to.deep.equal([]);
  });
});

describe('Log of a robot', () => {
  it('quotes nobody, also not at debug, where Hubot’s listeners would', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
    const robot = new Robot(null, false, 'shipmate', false, { logger });
    robot.hear(/salary/, () => undefined);
    await robot.receive(
      new TextMessage(robot.brain.userForId('U1', { name: 'alice' }), "my salary's\nbetween us", '1'),
    );
    robot.shutdown();
    expect(lines.filter((line) => line.includes('between us'))).to.deep.equal([]);
    expect(lines.join('')).to.contain('a listener matched');
  });
});
