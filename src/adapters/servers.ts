/** GitHub, GitLab and Jenkins as the robot speaks to them, whatever for: where their API begins, and how a token is shown. */

import type { Clock } from '../domain/deploy/ports.ts';
import { createRest, type Rest } from './rest/client.ts';
import type { Headers } from './rest/limits.ts';

/** Where a server is, and which variable holds the token for it. */
export interface ServerAccess {
  readonly url: string;
  readonly tokenFrom: string;
}

interface Around {
  /** The robot's environment, where the tokens are. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

/** `url` is that of the API: `https://api.github.com`. https://docs.github.com/rest/about-the-rest-api/api-versions */
export function githubRest(access: ServerAccess, around: Around): Rest {
  return createRest({
    ...common(access, around),
    name: 'GitHub',
    baseUrl: access.url,
    headers: (token) => ({
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      authorization: `Bearer ${token}`,
    }),
  });
}

/** https://docs.gitlab.com/api/rest/authentication/#personalprojectgroup-access-tokens */
export function gitlabRest(access: ServerAccess, around: Around): Rest {
  return createRest({
    ...common(access, around),
    name: 'GitLab',
    baseUrl: `${access.url}/api/v4`,
    headers: (token) => ({ 'private-token': token }),
  });
}

/** https://www.jenkins.io/doc/book/system-administration/authenticating-scripted-clients/ */
export function jenkinsRest(access: ServerAccess & { readonly user: string }, around: Around): Rest {
  return createRest({
    ...common(access, around),
    name: 'Jenkins',
    baseUrl: access.url,
    headers: (token) => ({ authorization: `Basic ${Buffer.from(`${access.user}:${token}`).toString('base64')}` }),
    said: saidByJenkins,
  });
}

function common({ tokenFrom }: ServerAccess, { environment, clock }: Around) {
  return {
    token: { from: tokenFrom, value: environment[tokenFrom] },
    ...(clock === undefined ? {} : { clock }),
  };
}

/** Jenkins answers with pages; the reason stands in headers (error.jelly, hudson.security.AccessDeniedException3). */
function saidByJenkins(headers: Headers): string {
  const permission = headers['x-required-permission'];
  const wanted =
    permission === undefined ? '' : `it wants ${permission.replace(/^hudson\.model\./, '').replace('.', '/')}`;
  return [headers['x-error'] ?? '', wanted].filter(Boolean).join('; ');
}
