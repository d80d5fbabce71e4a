/** The header comment of a Hubot script: sections, of which `Commands:` is its help. */

const SECTIONS = new Set([
  'description',
  'dependencies',
  'configuration',
  'commands',
  'notes',
  'author',
  'authors',
  'examples',
  'tags',
  'urls',
]);

/** The lines under `Commands:` in a header of `//`, `#`, `###` or block comments. */
export function commandsInHeader(source: string): string[] {
  const commands: string[] = [];
  let section = '';
  for (const line of header(source)) {
    const name = line.toLowerCase().replace(/:$/, '');
    if (SECTIONS.has(name)) section = name;
    else if (section === 'commands' && name !== 'none') commands.push(line);
  }
  return commands;
}

/** Hubot's own rule (a leading run of comment lines, `use strict` before it), and block comments besides. */
function header(source: string): string[] {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const raw of source.replace(/^\uFEFF?(?:#!.*\n)?\s*(?:["']use strict["'];?\s*)?/, '').split(/\r\n|\n|\r/)) {
    const line = raw.trim();
    if (fence) {
      if (line.includes(fence)) fence = undefined;
      lines.push(line.replace(/\*\/.*|###.*/, '').replace(/^\*+ ?/, ''));
    } else if (line.startsWith('/*') || line.startsWith('###')) {
      const end = line.startsWith('/*') ? '*/' : '###';
      const rest = line.slice(line.startsWith('/*') ? 2 : 3);
      if (!rest.includes(end)) fence = end;
      lines.push(rest.replace(/\*\/.*|###.*/, '').replace(/^[*!]+/, ''));
    } else if (/^(?:\/\/|#)/.test(line)) lines.push(line.replace(/^[#/]+/, ''));
    else if (line !== '') break;
  }
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}
