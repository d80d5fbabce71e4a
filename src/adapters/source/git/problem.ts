/** Why a repository could not be fetched, in words. */

const ASKS = /could not read (Username|Password)|terminal prompts disabled/i;
const REFUSED = 'it did not accept the token, or the token may not read it';

/** What `git` says in English, and what it means; the first that fits. Fatal lines of git 2.39 and of OpenSSH 9. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/Authentication failed|HTTP Basic: Access denied|requested URL returned error: 40[13]/i, REFUSED],
  [/Permission denied|publickey/i, 'it did not accept the key of the robot, or the folder may not be read'],
  [
    /Host key verification failed|authenticity of host/i,
    'the key of the host is not known: add it to known_hosts of the robot',
  ],
  [/dubious ownership/i, 'the folder belongs to somebody else: see safe.directory in git-config'],
  [/certificate|SSL/i, 'its certificate is not trusted: GIT_SSL_CAINFO names a file of further ones'],
  [
    /not found|does not exist|does not appear to be a git repository|error: 404/i,
    'there is no such repository, or the robot may not see it',
  ],
  [/redirect|error: 30\d/i, 'it has moved: put its new address into config/services.yaml'],
  [
    /resolve host|connect to|Connection (refused|timed out|reset)|unable to access|Network is unreachable|hung up|early EOF/i,
    'it cannot be reached',
  ],
  [/No space left/i, 'there is no room left on the disk'],
];

/** A clause. @param stderr what `git` said last @param hasToken whether a token was shown: then a question for one is a no */
export function fetchProblem(stderr: string, hasToken: boolean): string {
  if (ASKS.test(stderr)) return hasToken ? REFUSED : 'it asks for a login: give a token with token_from';
  for (const [pattern, text] of MEANINGS) if (pattern.test(stderr)) return text;
  const line = stderr
    .split('\n')
    .map((one) => one.replace(/^(?:fatal|error): /, '').trim())
    .findLast((one) => one !== '');
  return line === undefined ? 'git failed without a word' : `git says: ${line.slice(0, 200)}`;
}
