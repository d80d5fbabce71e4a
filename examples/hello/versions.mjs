// Prints the releases there are, newest first.
import { readFile } from 'node:fs/promises';

console.log(JSON.stringify(JSON.parse(await readFile(new URL('releases.json', import.meta.url), 'utf8'))));
