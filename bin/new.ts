/** Writes a script and its test to begin with: `npm run new -- ticket`. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const root = process.cwd();
const [name, ...rest] = process.argv.slice(2);

if (name === undefined || rest.length > 0 || !/^[a-z][a-z0-9-]*$/.test(name)) {
  console.error(
    'Usage: npm run new -- <name>\n\nThe name is one word of small letters, digits and dashes, for example ticket.',
  );
  process.exit(2);
}

// In the script it gets an ending: `class`, `new` or `card` cannot be the name of a function there.
const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const script = `// Description:
//   What this script is for, in a line

import { arg } from '../src/bot/args.ts';
import { card, plain } from '../src/bot/card.ts';
import { command } from '../src/bot/command.ts';
import type { Robot } from '../src/bot/robot.ts';

export default function ${camel}Script(robot: Robot): void {
  command(robot, {
    id: '${camel}.open',
    usage: '${name} open <subject...>',
    summary: 'Write down what has to be done',
    examples: ['${name} open the disk of db1 is full'],
    args: { subject: arg.text() },
    effect: 'change',
    needs: '${name}:open',
    run({ args, person }) {
      const key = '${name}.list';
      const before: unknown = robot.brain.get(key);
      const list = Array.isArray(before) ? [...before, args.subject] : [args.subject];
      robot.brain.set(key, list);
      return card({
        title: \`Number \${list.length} is open\`,
        tone: 'good',
        text: plain(args.subject),
        actions: [{ label: 'Show all', command: '${name} list' }],
        footer: \`Opened by \${person.name}\`,
      });
    },
  });

  command(robot, {
    id: '${camel}.list',
    usage: '${name} list',
    summary: 'What is open',
    examples: ['${name} list'],
    effect: 'read',
    needs: 'public',
    run() {
      const list: unknown = robot.brain.get('${name}.list');
      if (!Array.isArray(list) || list.length === 0) return 'Nothing is open.';
      return list.map((subject, at) => \`\${at + 1}. \${plain(String(subject))}\`).join('\\n');
    },
  });
}
`;

const test = `import { expect } from 'chai';
import { inMemoryCommands } from '../support/commands.ts';
import { Helper, type Room } from '../support/room.ts';

describe('scripts/${name}.ts', () => {
  let room: Room;
  const commands = inMemoryCommands({ policy: { people: { 'test:alice': ['admin'] } } });

  beforeEach(async () => {
    room = await new Helper('scripts/${name}.ts').createRoom({ prepare: commands.prepare });
  });
  afterEach(() => room.destroy());

  it('opens and lists', async () => {
    await room.user.say('alice', 'hubot ${name} open the disk of db1 is full');
    expect(room.cards.at(-1)?.title).to.equal('Number 1 is open');
    await room.press('bob', 'Show all');
    expect(room.messages.at(-1)).to.deep.equal(['hubot', '1. the disk of db1 is full']);
  });

  it('opens nothing for those who may not', async () => {
    await room.user.say('mallory', 'hubot ${name} open something');
    expect(room.messages.at(-1)?.[1]).to.contain('${name}:open');
  });
});
`;

for (const [path, text] of [
  [`scripts/${name}.ts`, script],
  [`test/scripts/${name}.test.ts`, test],
] as const) {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    console.error(exists ? `${path} is there already; choose another name or delete it first.` : String(error));
    process.exit(1);
  }
  console.log(`Written: ${path}`);
}
console.log(
  `\nTry it:  npx mocha test/scripts/${name}.test.ts\nThen:    npm run dev, and type: ${name} open my first line`,
);
