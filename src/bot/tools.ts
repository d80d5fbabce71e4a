/** Commands as tools with a JSON schema, for a model or a client that calls functions. */

import type { JsonSchema, Names } from './args.ts';
import type { Command } from './command.ts';
import type { Element } from './grammar.ts';

export interface Tool {
  /** The id of the command with `_` for the dots, as function names allow no dots. */
  readonly name: string;
  readonly description: string;
  readonly effect: 'read' | 'change';
  readonly parameters: {
    readonly type: 'object';
    readonly properties: Readonly<Record<string, JsonSchema>>;
    readonly required: readonly string[];
    readonly additionalProperties: false;
  };
}

/** The tool that a command is. */
export function toolOf(command: Command, names: Names): Tool {
  const properties = Object.entries(command.args).map(([name, type]) => [name, type.schema(names)] as const);
  return {
    name: command.id.replaceAll('.', '_'),
    description: `${command.summary}. Typed: ${command.usage}`,
    effect: command.effect,
    parameters: {
      type: 'object',
      properties: Object.fromEntries(properties),
      required: [...(command.patterns[0]?.required ?? [])],
      additionalProperties: false,
    },
  };
}

/** The line that somebody would type for these values; it is parsed and checked like any other. */
export function lineFor(command: Command, values: Readonly<Record<string, string | number | boolean>>): string {
  const [pattern] = command.patterns;
  if (!pattern) return '';
  const given = (name: string): boolean => values[name] !== undefined && values[name] !== '';
  const words = (elements: readonly Element[]): string[] =>
    elements.flatMap((element) => {
      if (element.kind === 'literal') return element.words.slice(0, 1);
      if (element.kind === 'argument') {
        if (!given(element.name)) return [];
        return [element.rest ? String(values[element.name]) : quoted(String(values[element.name]))];
      }
      const names = element.elements.flatMap((each) => (each.kind === 'argument' ? [each.name] : []));
      return names.every(given) ? words(element.elements) : [];
    });
  const keyed = [...pattern.keyed.values()].flatMap(({ typed, name, takesValue }) => {
    if (!given(name) || values[name] === false) return [];
    if (!takesValue) return [typed];
    return [
      typed.endsWith(':') ? `${typed}${quoted(String(values[name]))}` : `${typed}=${quoted(String(values[name]))}`,
    ];
  });
  return [...words(pattern.elements), ...keyed].join(' ');
}

function quoted(value: string): string {
  const bare = value.replaceAll('"', "'");
  return bare === '' || /\s/.test(bare) ? `"${bare}"` : bare;
}
