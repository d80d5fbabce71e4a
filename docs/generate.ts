/** Writes docs/reference/ from the code: `npm run docs`. A test says when it is out of date. */

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { z } from 'zod';
import type { Command } from '../src/bot/command.ts';
import { catalogue } from '../src/bot/errors.ts';
import { grouped } from '../src/bot/help.ts';
import { loadScript } from '../src/bot/load.ts';
import { Robot } from '../src/bot/robot.ts';
import { toolOf } from '../src/bot/tools.ts';
import { accessSchema } from '../src/config/access.ts';
import { alertsSchema } from '../src/config/alerts.ts';
import { servicesSchema } from '../src/config/services.ts';
import { slackSchema } from '../src/config/slack.ts';
import { type Variable, variables } from '../src/config/variables.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The scripts that ship. What a team writes or installs is its own: `help` and `--check` know it, this page does not. */
const SHIPPED = [
  'access',
  'alerts',
  'ask-ai',
  'audit',
  'deploy',
  'docker',
  'help',
  'history',
  'kubernetes',
  'locks',
  'overview',
  'pipelines',
  'proposals',
  'rollouts',
  'tokens',
  'web',
];

/** Every reference page by its path below the project. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/reference/commands.md', await commandsPage()],
    ['docs/reference/configuration.md', configurationPage()],
    ['docs/reference/errors.md', errorsPage()],
  ]);
}

async function commandsPage(): Promise<string> {
  const robot = new Robot(null, false, 'shipmate', false, { logger: pino({ level: 'silent' }) });
  try {
    await robot.prepare();
    for (const name of SHIPPED) {
      const [problem] = (await loadScript(robot, `${root}scripts/${name}.ts`)).problems;
      if (problem) throw new Error(`${problem.file}: ${problem.cause}`);
    }
  } finally {
    robot.shutdown();
  }
  const groups = grouped(robot.table.all());
  return page(
    'Commands',
    'What the scripts that ship declare; your own are in `help`. In a room, begin with the name of the robot; in a direct conversation every line is for it. `<…>` must be given, `[…]` may be, `…...` takes the rest of the line.',
    groups.map(([group, commands]) => `## ${group}\n\n${commands.map(commandSection).join('\n')}`),
  );
}

function commandSection(command: Command): string {
  const [, ...aliases] = command.patterns.map((pattern) => pattern.usage);
  const { parameters } = toolOf(command, { services: () => [], environments: () => [], people: async () => [], rooms: async () => [] });
  const args = Object.entries(parameters.properties).map(
    ([name, schema]) => `| \`${name}\` | ${schema.description}${parameters.required.includes(name) ? '' : '; may be left out'} |`,
  );
  return [
    `### \`${command.usage}\`\n`,
    `${command.summary}.`,
    ...(aliases.length > 0 ? [`\nAlso: ${aliases.map((usage) => `\`${usage}\``).join(', ')}`] : []),
    `\nExamples: ${command.examples.map((example) => `\`${example}\``).join(', ')}`,
    `\nNeeds: ${command.needsPattern === 'public' ? 'nothing special' : `\`${command.needsWords}\``}. Effect: ${command.effect === 'change' ? 'a change, audited' : 'none'}. Id: \`${command.id}\`.\n`,
    ...(args.length > 0 ? ['| argument | |', '|---|---|', ...args, ''] : []),
  ].join('\n');
}

function configurationPage(): string {
  const rows = Object.entries<Variable<unknown>>(variables).map(
    ([name, { kind, summary, fallback, secret }]) => `| \`${name}\` | ${kind}${secret ? ', secret' : ''} | ${summary} | ${fallback} |`,
  );
  return page(
    'Configuration',
    '`shipmate --check` checks all of it and reports every problem at once, with file and line. The robot reads it when it starts.',
    [
      `## Environment variables\n\n| variable | kind | what it does | if not set |\n|---|---|---|---|\n${rows.join('\n')}\n`,
      fileSection('config/services.yaml', 'What can be deployed, and where.', servicesSchema),
      fileSection('config/alerts.yaml', 'Who hears which alert.', alertsSchema),
      fileSection('config/access.yaml', 'Who may do what.', accessSchema),
      fileSection('config/slack.yaml', 'How it is in Slack; with the adapter `slack`.', slackSchema),
      '## config/context.md\n\nThe team describes its own systems and words here; with a model, it is sent along with every question.\n',
      '## external-scripts.json and hubot-scripts.json\n\nPublished Hubot packages to load, as a list of names or an object of names and options; and file names from the package `hubot-scripts`, as a list.\n',
    ],
  );
}

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: string | number | boolean | null;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  /** Several kinds, told apart by `kind`. */
  readonly oneOf?: readonly Schema[];
  readonly required?: readonly string[];
}

function fileSection(file: string, summary: string, schema: z.ZodType): string {
  const described: Schema = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema;
  const rows = keysOf(described, '', []).map(
    ({ path, type, text, fallback }) => `| \`${path}\` | ${type} | ${text.replaceAll('|', '\\|')} | ${fallback} |`,
  );
  return `## ${file}\n\n${summary}\n\n| key | kind | what it says | if left out |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

interface Key {
  readonly path: string;
  readonly type: string;
  readonly text: string;
  readonly fallback: string;
}

function keysOf(schema: Schema, path: string, required: readonly string[]): Key[] {
  const [only] = schema.anyOf ?? [];
  const inner = only ?? schema;
  const name = path.replace(/^.*\./, '');
  const own: Key[] =
    path === '' || name.startsWith('<')
      ? []
      : [
          {
            path,
            type: typeOf(inner),
            text: schema.description ?? inner.description ?? '',
            fallback: required.includes(name) ? 'must be given' : schema.default === undefined ? '–' : `\`${JSON.stringify(schema.default)}\``,
          },
        ];
  const below = (part: string, next: Schema): Key[] => keysOf(next, path === '' ? part : `${path}.${part}`, inner.required ?? []);
  const kinds = (inner.oneOf ?? []).flatMap((one) =>
    keysOf(one, `${path}(${String(one.properties?.['kind']?.const ?? 'other')})`, []).slice(1),
  );
  return [
    ...own,
    ...kinds,
    ...Object.entries(inner.properties ?? {}).flatMap(([part, next]) => below(part, next)),
    ...(typeof inner.additionalProperties === 'object' && inner.additionalProperties.type !== 'string'
      ? keysOf(inner.additionalProperties, `${path}.<name>`, [])
      : []),
    ...(inner.items?.properties ? Object.entries(inner.items.properties).flatMap(([part, next]) => keysOf(next, `${path}[].${part}`, (inner.items?.required ?? []).map((each) => each))) : []),
  ];
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.type === 'array') return `list of ${schema.items?.properties ? 'mappings' : `${schema.items?.type ?? 'value'}s`}`;
  return schema.type === 'object' || schema.oneOf ? 'mapping' : (schema.type ?? 'value');
}

function errorsPage(): string {
  const rows = Object.entries(catalogue).map(([code, { text, next }]) => {
    const shown = (part: (params: never) => string): string => part(sampleParams as never).replaceAll('\\', '').replaceAll('|', '\\|');
    return `| \`${code}\` | ${shown(text)} | ${shown(next)} |`;
  });
  return page('Errors', 'What people may read in chat, from `src/bot/errors.ts`. `‹…›` stands for what is filled in.', [
    `| code | what happened | what to do |\n|---|---|---|\n${rows.join('\n')}\n`,
  ]);
}

/** Any parameter, of any type, as `‹name›`: the templates use it as a text, a number or a list. */
const sampleParams: object = new Proxy({}, { get: (_, name) => sample(`‹${String(name)}›`) });

function sample(text: string): unknown {
  return new Proxy([text], {
    get(list, key) {
      if (key === 'replace' || key === 'replaceAll' || key === 'trim' || key === 'toString' || key === Symbol.toPrimitive) return () => text;
      if (key === 'slice') return () => sample(text);
      return Reflect.get(list, key);
    },
  });
}

function page(title: string, about: string, sections: readonly string[]): string {
  return `# ${title}\n\n<!-- Written by docs/generate.ts: change the code instead, then \`npm run docs\`. -->\n\n${about}\n\n${sections.join('\n')}`;
}

if (import.meta.main) {
  for (const [path, text] of await referencePages()) await writeFile(new URL(`../${path}`, import.meta.url), text);
}
