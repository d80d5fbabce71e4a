import { expect } from 'chai';
import { TextMessage } from 'hubot';
import { arg } from '../../src/bot/args.ts';
import { DeliveryDelayed, DeliveryRefused } from '../../src/bot/chat.ts';
import { command } from '../../src/bot/command.ts';
import { type InMemoryCommands, inMemoryCommands } from '../support/commands.ts';
import { eventually } from '../support/eventually.ts';
import { Helper, type Room } from '../support/room.ts';

describe('conversation', () => {
  let room: Room;
  let commands: InMemoryCommands;
  let whereabouts: string[];

  beforeEach(async () => {
    commands = inMemoryCommands();
    whereabouts = [];
    room = await new Helper('test/support/no-commands.ts').createRoom({
      prepare(robot, chat) {
        commands.prepare(robot, chat);
        command(robot, {
          id: 'echo.say',
          usage: 'echo <words...>',
          summary: 'Say it again',
          examples: ['echo hello'],
          args: { words: arg.text() },
          effect: 'read',
          needs: 'public',
          run({ args, room: here, person, via }) {
            whereabouts.push(`${person.id} ${here.room}${here.thread ? `/${here.thread}` : ''} ${here.private} ${via}`);
            return args.words;
          },
        });
        command(robot, {
          id: 'echo.secret',
          usage: 'whisper <words...>',
          summary: 'Say it to who asks',
          examples: ['whisper hello'],
          args: { words: arg.text() },
          effect: 'read',
          needs: 'public',
          answers: 'asker',
          run: ({ args }) => args.words,
        });
        command(robot, {
          id: 'echo.change',
          usage: 'paint <colour>',
          summary: 'Change something',
          examples: ['paint red'],
          args: { colour: arg.oneOf(['red', 'blue']) },
          effect: 'change',
          needs: 'public',
          run: ({ args }) => `It is ${args.colour} now.`,
        });
      },
    });
  });
  afterEach(() => room.destroy());

  it('answers where the question was: room and thread', async () => {
    await room.user.say('alice', 'hubot echo hello', { thread: 'm7' });
    expect(whereabouts).to.deep.equal(['test:alice room1/m7 false typed']);
    expect(room.chat.posts.at(-1)).to.include({ room: 'room1', thread: 'm7', text: 'hello' });
  });

  it('takes nobody for somebody else whose id they chose as their own in another chat', async () => {
    const user = room.robot.brain.userForId('test:eve', { name: 'eve', room: 'room1' });
    // As a script says again what it once heard: without what the chat knew of the message.
    await room.robot.receive(new TextMessage(user, 'hubot echo as said here', '1'));
    user['chat'] = 'irc';
    await room.robot.receive(new TextMessage(user, 'hubot echo as said there', '2'));
    expect(whereabouts.map((line) => line.split(' ')[0])).to.deep.equal(['test:eve', 'irc:test:eve']);
  });

  it('takes a room that nobody knows for a private one', async () => {
    room.chat.room = () => Promise.reject(new Error('away'));
    await room.user.say('alice', 'hubot echo hello');
    expect(whereabouts).to.deep.equal([]);
    room.chat.room = async () => undefined as never;
    await room.user.say('alice', 'hubot echo hello');
    expect(whereabouts).to.deep.equal(['test:alice room1 true typed']);
  });

  it('remembers what people and the robot say, and who could hear it', async () => {
    room.chat.privateRooms.set('room1', ['test:alice']);
    await room.user.say('alice', 'good morning');
    await room.user.say('alice', 'hubot echo hello');
    expect(commands.heard.map((each) => [each.personName, each.text, each.fromRobot, each.addressed])).to.deep.equal([
      ['alice', 'good morning', false, false],
      ['alice', 'hubot echo hello', false, true],
      ['hubot', 'hello', true, true],
    ]);
    expect(commands.heard.every((each) => each.private && each.members?.[0] === 'test:alice')).to.equal(true);
  });

  it('an answer that the chat cannot take now goes to the outbox, a refused one is logged', async () => {
    room.chat.troubles.push(new DeliveryDelayed('busy'));
    await room.user.say('alice', 'hubot echo later');
    expect(room.messages.at(-1)).to.deep.equal(['hubot', 'later']);
    room.chat.troubles.push(new DeliveryRefused('no such room'));
    await room.user.say('alice', 'hubot echo never');
    expect(commands.logged.map((line) => line.message)).to.include('answer refused by the chat');
  });

  it('an answer that is only for the asker is shown to nobody else', async () => {
    await room.user.say('alice', 'hubot whisper the code');
    expect(room.messagesOnlyTo('alice')).to.deep.equal(['the code']);
    expect(commands.heard.at(-1)).to.include({ fromRobot: true, onlyTo: 'test:alice' });
  });

  it('what came in quietly is answered quietly, errors as well; a change is for everybody to see', async () => {
    await room.user.say('alice', 'hubot echo hello', { quiet: true });
    await room.user.say('alice', 'hubot paint green', { quiet: true });
    expect(room.messagesOnlyTo('alice')).to.have.length(2);
    expect(room.messagesOnlyTo('alice')[1]).to.contain('red');
    await room.user.say('alice', 'hubot paint red', { quiet: true });
    expect(room.messagesOnlyTo('alice')).to.have.length(2);
    expect(room.messages.at(-1)).to.deep.equal(['hubot', 'It is red now.']);
  });

  it('a corrected message runs what reads, never a change', async () => {
    await room.user.say('alice', 'hubot echo hello', { edited: true });
    expect(room.messages.at(-1)).to.deep.equal(['hubot', 'hello']);
    await room.user.say('alice', 'hubot paint red', { edited: true });
    expect(room.messages.at(-1)?.[1]).to.contain('never a change').and.contain('new message');
    expect(commands.audit.map((row) => [row.outcome, row.detail])).to.deep.equal([['refused', 'command.edited']]);
  });

  it('in a chat that takes messages in turn, answers go through the outbox; corrected ones replace the earlier answer', async () => {
    room.chat.queued = true;
    await room.user.say('alice', 'hubot echo one', { id: 'm1' });
    await room.user.say('alice', 'hubot echo two');
    await room.user.say('alice', 'hubot echo corrected', { id: 'm1', edited: true });
    expect(room.messages.filter(([who]) => who === 'hubot')).to.deep.equal([
      ['hubot', 'corrected'],
      ['hubot', 'two'],
    ]);
  });

  it('a correction leaves what a change has said, and takes the place of an answer that is still being made', async () => {
    room.chat.queued = true;
    await room.user.say('alice', 'hubot paint red', { id: 'm1' });
    await room.user.say('alice', 'hubot paint blue', { id: 'm1', edited: true });
    const slow = Promise.withResolvers<string>();
    command(room.robot, {
      id: 'slow.answer',
      usage: 'slow',
      summary: 'Takes its time',
      examples: [],
      effect: 'read',
      needs: 'public',
      run: () => slow.promise,
    });
    const first = room.user.say('alice', 'hubot slow', { id: 'm2' });
    const second = room.user.say('alice', 'hubot echo corrected', { id: 'm2', edited: true });
    await eventually(() => room.messages.some(([, text]) => text === 'corrected'));
    slow.resolve('what nobody asks any more');
    await Promise.all([first, second]);
    const said = room.messages.filter(([who]) => who === 'hubot').map(([, text]) => text);
    expect(said[0]).to.equal('It is red now.');
    expect(said[1]).to.contain('never a change');
    expect(said.slice(2)).to.deep.equal(['corrected']);
  });

  it('an error outside of commands is told by a reference to those who addressed the robot, to nobody else', async () => {
    room.robot.receiveMiddleware(async (_context) => {
      throw new Error('secret detail');
    });
    await room.user.say('alice', 'just talking');
    expect(room.messages).to.have.length(1);
    await room.user.say('alice', 'hubot echo hello');
    expect(room.messages.at(-1)?.[1]).to.contain('`reference`').and.not.contain('secret detail');
    expect(whereabouts).to.deep.equal([]);
  });

  it('a message that cannot be stored is not acted on', async () => {
    room.robot.pipeline.record = async () => {
      throw new Error('disk full');
    };
    await room.user.say('alice', 'hubot echo hello');
    expect(whereabouts).to.deep.equal([]);
    expect(room.messages.at(-1)?.[1]).to.contain('`reference`');
  });
});
