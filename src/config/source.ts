/** Where the versions of a service are in Git, in `config/services.yaml`. */

import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { SourceConfig } from '../domain/deploy/source.ts';
import { strict, variable } from './fields.ts';
import { placeholders } from './targets/address.ts';
import { serverUrl } from './targets/forge.ts';

/** What a branch, tag or commit is called; see git-check-ref-format(1). Nothing that a program could take for an option. */
const branch = z
  .string()
  .regex(/^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._+/-]{0,199}$/, 'the name of a branch is expected')
  .describe('Where the newest commits are looked for; the default branch unless given');

const naming = {
  branch: branch.optional(),
  deploy_as: placeholders(['commit', 'short'])
    .refine((text) => /^[A-Za-z0-9._+:/@-]*\{(?:commit|short)\}[A-Za-z0-9._+:/@-]*$/.test(text), {
      error: 'what the target is given, with {commit} or {short} in it once, is expected: sha-{short}',
    })
    .optional()
    .describe(
      'What the target is given: `{commit}`, `sha-{short}`; tags by their names, all else as `{commit}`, unless given',
    ),
  others: z
    .boolean()
    .default(false)
    .describe('Whether names that Git does not know go to the target as they are: image tags made elsewhere'),
};

const repository = z
  .string()
  .regex(/^[\w.-]+(\/[\w.-]+)+$/, 'a repository is owner/name, without the address of its host');

const git = strict({
  kind: z.literal('git').describe('A repository that the robot copies, with the program `git`'),
  url: z
    .string()
    .max(500)
    .refine(isGitAddress, {
      error:
        'https://host/owner/name.git, ssh://git@host/owner/name.git or the path of a folder is expected, without a password in it',
    })
    .describe('Where it is: an address, or the whole path of a folder'),
  token_from: variable.optional().describe('The variable that holds a token, for an https address'),
  user: z
    .string()
    .regex(/^[\w.@-]+$/)
    .default('x-access-token')
    .describe('The user that goes with the token; GitLab takes `oauth2`'),
  ...naming,
});

const github = strict({
  kind: z.literal('github').describe('Asks the API of GitHub'),
  repository: repository.optional().describe('`owner/name`; the `repository` of the service unless given'),
  url: serverUrl
    .default('https://api.github.com')
    .describe('The REST API; of an Enterprise Server `https://HOST/api/v3`'),
  token_from: variable.default('GITHUB_TOKEN').describe('The variable that holds the token'),
  ...naming,
});

const gitlab = strict({
  kind: z.literal('gitlab').describe('Asks the API of GitLab'),
  repository: repository.optional().describe('Its path with all groups; the `repository` of the service unless given'),
  url: serverUrl.default('https://gitlab.com').describe('Where GitLab is'),
  token_from: variable.default('GITLAB_TOKEN').describe('The variable that holds the access token'),
  ...naming,
});

/** See docs/guide/source.md. */
export const source = z.discriminatedUnion('kind', [git, github, gitlab]).superRefine((given, context) => {
  if (given.kind !== 'git' || given.token_from === undefined || /^https?:/.test(given.url)) return;
  context.addIssue({ code: 'custom', message: 'a token goes to an https address only', path: ['token_from'] });
});

/** As plain data. @param name the repository of the service, or its own name */
export function sourceOf(given: z.output<typeof source>, name: string): SourceConfig {
  const { branch: from, deploy_as: deployAs, others } = given;
  const naming = {
    ...(from === undefined ? {} : { branch: from }),
    ...(deployAs === undefined ? {} : { deployAs }),
    others,
  };
  if (given.kind !== 'git') {
    const { kind, url, repository: own, token_from: tokenFrom } = given;
    return { kind, name: own ?? name, url, tokenFrom, ...naming };
  }
  const { kind, url, user, token_from: tokenFrom } = given;
  return { kind, name, url, user, ...(tokenFrom === undefined ? {} : { tokenFrom }), ...naming };
}

/**
 * Programs that Git would run itself (`ext::`), options and passwords are no addresses. A token in the clear goes to this machine
 * only.
 */
function isGitAddress(text: string): boolean {
  if (/[\p{Cc}\s]/u.test(text)) return false;
  if (isAbsolute(text)) return !text.includes('::');
  if (/^[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:[^:-][^:]*$/.test(text)) return true;
  const url = URL.parse(text);
  if (url === null || url.password !== '' || !/^[A-Za-z0-9]/.test(url.hostname)) return false;
  if (url.protocol === 'ssh:') return /^[\w.-]*$/.test(url.username) && !url.username.startsWith('-');
  if (url.username !== '' || url.search !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && /^(?:127\.|localhost$)/.test(url.hostname));
}
