/** Which display names a person may have. */

import type { Problem } from './protocol.ts';

const LONGEST = 40;
/** Letters, digits and marks of any script, with space . _ ' - between them. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}\p{M} ._'’-]*$/u;
const RESERVED = new Set(['here', 'channel', 'everyone', 'all', 'robot', 'system', 'admin', 'me', 'myself']);
/** Characters that show nothing, though they count as letters or marks. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}/u;
/** Heaps of marks that run into the lines above and below. */
const HEAP = /\p{M}{4}/u;
/** Scripts with letters that look the same: a name is written in one of them. */
const ALIKE = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
  /\p{Script=Coptic}/u,
  /\p{Script=Georgian}/u,
  /\p{Script=Lisu}/u,
];

/** A name as it is kept: characters that look the same are the same, single spaces, nothing around it. */
export function tidyName(typed: string): string {
  return typed.normalize('NFKC').trim().replace(/\s+/g, ' ');
}

/** What is wrong with a name; undefined if nothing is. The name comes from {@link tidyName}. */
export function nameProblem(name: string, robotName: string): Problem | undefined {
  if (name === '') return { text: 'The name is missing.', next: 'Say what you are called.' };
  if ([...name].length > LONGEST)
    return { text: `The name is longer than ${LONGEST} letters.`, next: 'Choose a shorter one.' };
  if (!NAME.test(name) || UNSEEN.test(name) || HEAP.test(name)) {
    return {
      text: 'A name has letters, digits, spaces and . _ - only, and begins with a letter or digit.',
      next: 'Choose another one.',
    };
  }
  if (ALIKE.filter((script) => script.test(name)).length > 1) {
    return { text: 'A name is written in the letters of one script.', next: 'Choose another one.' };
  }
  const folded = name.toLowerCase();
  if (folded === robotName.toLowerCase() || RESERVED.has(folded)) {
    return { text: `The name ${name} is not for people.`, next: 'Choose another one.' };
  }
  return undefined;
}
