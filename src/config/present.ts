/** Whether what the configuration names is there: folders, programs. */

import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { distance } from 'fastest-levenshtein';
import type { ServicesConfig } from '../domain/deploy/config.ts';
import type { Problem } from './problem.ts';
import type { Finding } from './yaml.ts';

/** Where a program is looked for when the robot itself has no PATH: what most systems take then. */
const USUAL_PATH = ['/usr/local/bin', '/usr/bin', '/bin'].join(delimiter);

/** A folder that a variable names. */
export async function folderThere(key: string, root: string, path: string | undefined): Promise<Problem[]> {
  if (path === undefined || (await isFolder(resolve(root, path)))) return [];
  return [{ file: 'environment', key, message: `there is no folder ${resolve(root, path)}` }];
}

/**
 * YAML files that nobody reads are misnamed.
 *
 * @param shown how problems name the folder
 * @param known the names of the files that are read
 */
export async function strayFiles(folder: string, shown: string, known: readonly string[]): Promise<Problem[]> {
  // A folder that is not there holds no file; whether it must be there is another question.
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /\.ya?ml$/i.test(name) && !known.includes(name))
    .sort()
    .map((name) => {
      const [near = ''] = [...known].sort((a, b) => distance(name, a) - distance(name, b));
      return { file: `${shown}/${name}`, key: '', message: `nothing reads this file; did you mean ${near}?` };
    });
}

/**
 * Folders and programs of the services.
 *
 * @param root relative folders start here
 * @param environment of the robot; PATH is taken from it
 */
export async function missingPrograms(
  { services }: ServicesConfig,
  root: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, target } of services) {
    if (target.kind !== 'command') continue;
    const path = ['services', name, 'target'];
    const folder = resolve(root, target.folder);
    if (!(await isFolder(folder))) {
      findings.push({ path: [...path, 'folder'], message: `there is no folder ${folder}` });
      continue;
    }
    const places = target.variables['PATH'] ?? environment['PATH'] ?? USUAL_PATH;
    for (const key of ['deploy', 'current', 'versions'] as const) {
      const [program] = target[key] ?? [];
      // `node` is the Node that runs the robot.
      if (program === undefined || program === 'node') continue;
      const message = await whyNot(program, folder, places);
      if (message !== undefined) findings.push({ path: [...path, key, 0], message });
    }
  }
  return findings;
}

/** Why a program cannot be run; undefined if it can. */
async function whyNot(program: string, folder: string, places: string): Promise<string | undefined> {
  if (program.includes('/')) {
    const file = resolve(folder, program);
    if (!(await isFile(file))) return `there is no program ${file}`;
    return (await isExecutable(file)) ? undefined : `the program ${file} is not executable`;
  }
  for (const place of places.split(delimiter)) {
    const file = join(resolve(folder, place), program);
    if ((await isFile(file)) && (await isExecutable(file))) return undefined;
  }
  return `there is no program ${program} on PATH`;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
