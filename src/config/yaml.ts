/** YAML files that a team edits: parsed, checked against a schema, and every problem with its line. */

import { readFile } from 'node:fs/promises';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Problem } from './problem.ts';

export type YamlResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Something that is wrong with a value of a file, though it fits the schema. */
export interface Finding {
  /** Keys, and places in lists, from the top of the file. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What is wrong with a whole file whose values fit the schema. */
export type Examine<T> = (value: T) => readonly Finding[] | Promise<readonly Finding[]>;

/** More than this is no configuration. */
const LARGEST_FILE = 1_000_000;

/**
 * Reads one file.
 *
 * @param path where it is
 * @param file how problems name it
 * @param missing what counts if there is no such file; without it, a missing file is a problem
 * @param examine finds what a schema cannot see, such as a folder that is not there
 */
export async function readYaml<T>(
  path: string,
  file: string,
  schema: z.ZodType<T>,
  missing?: unknown,
  examine: Examine<T> = () => [],
): Promise<YamlResult<T>> {
  let source: string;
  try {
    source = await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    if (code === 'ENOENT' && missing !== undefined) return check(schema.safeParse(missing), file, () => undefined);
    const message = code === 'ENOENT' ? 'the file is missing' : `the file cannot be read (${code})`;
    return { ok: false, problems: [{ file, key: '', message }] };
  }
  const { result, lineOf } = parsed(source, file, schema);
  if (!result.ok) return result;
  const problems = (await examine(result.value)).map(({ path, message }) => problemAt(file, lineOf, path, message));
  return problems.length > 0 ? { ok: false, problems } : result;
}

/** Checks the text of one file. An empty file is an empty mapping. */
export function parseYaml<T>(source: string, file: string, schema: z.ZodType<T>): YamlResult<T> {
  return parsed(source, file, schema).result;
}

type LineOf = (path: readonly PropertyKey[]) => number | undefined;

function parsed<T>(
  source: string,
  file: string,
  schema: z.ZodType<T>,
): { readonly result: YamlResult<T>; readonly lineOf: LineOf } {
  const broken = (problems: readonly Problem[]) => ({ result: { ok: false, problems } as const, lineOf });
  if (source.length > LARGEST_FILE) return broken([{ file, key: '', message: 'the file is larger than 1 MB' }]);
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      file,
      line: lines.linePos(error.pos[0]).line,
      key: '',
      message: `this is not YAML: ${error.message}`,
    }));
    return broken(problems);
  }
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    return broken([{ file, key: '', message: error instanceof Error ? error.message : String(error) }]);
  }
  return { result: check(schema.safeParse(content), file, lineOf), lineOf };

  function lineOf(path: readonly PropertyKey[]): number | undefined {
    for (let length = path.length; length >= 0; length--) {
      const parent = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(parent) && parent.range) return lines.linePos(parent.range[0]).line;
    }
    return undefined;
  }
}

function check<T>(result: z.ZodSafeParseResult<T>, file: string, lineOf: LineOf): YamlResult<T> {
  if (result.success) return { ok: true, value: result.data };
  const problems = result.error.issues.flatMap((issue): Problem[] => {
    const at = (path: readonly PropertyKey[], message: string) => problemAt(file, lineOf, path, message);
    if (issue.code === 'unrecognized_keys') {
      // A schema that names the allowed keys knows better.
      const own = issue.message.startsWith('Unrecognized key') ? 'there is no such key here' : issue.message;
      return issue.keys.map((key) => at([...issue.path, key], own));
    }
    return [at(issue.path, issue.message.charAt(0).toLowerCase() + issue.message.slice(1))];
  });
  return { ok: false, problems };
}

function problemAt(file: string, lineOf: LineOf, path: readonly PropertyKey[], message: string): Problem {
  const line = lineOf(path);
  return { file, ...(line === undefined ? {} : { line }), key: path.map(String).join('.'), message };
}
