/** Asking a server to run something again. Addresses, users and names of tokens come from the configuration alone. */

import type { Clock } from '../../domain/deploy/ports.ts';
import type { PipelineAccess, RerunPlace } from '../../domain/pipelines/access.ts';
import type { Repeated } from '../../domain/pipelines/rerun.ts';
import { createRest, type Rest } from '../rest/client.ts';
import { mayHaveArrived, RestProblem } from '../rest/problem.ts';
import { rerunGithub } from './github/rerun.ts';
import { rerunGitlab } from './gitlab/rerun.ts';
import { rerunJenkins } from './jenkins/rerun.ts';

/** @param environment the robot's, where the tokens are */
export function createRepeat(
  environment: Readonly<Record<string, string | undefined>>,
  clock?: Clock,
): (place: RerunPlace, all: boolean) => Promise<Repeated> {
  return async (place, all) => {
    const rest = restOf(place.access, environment, clock);
    try {
      switch (place.kind) {
        case 'github':
          return await rerunGithub(rest, place, all);
        case 'gitlab':
          return await rerunGitlab(rest, place, all);
        case 'jenkins':
          return await rerunJenkins(rest, place, all);
      }
    } catch (error) {
      if (!(error instanceof RestProblem)) throw error;
      return { kind: 'refused', text: error.message, unsure: mayHaveArrived(error) };
    }
  };
}

function restOf(
  access: PipelineAccess,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock | undefined,
): Rest {
  const token = { from: access.tokenFrom, value: environment[access.tokenFrom] };
  const common = { token, ...(clock === undefined ? {} : { clock }) };
  switch (access.kind) {
    case 'github':
      return createRest({
        ...common,
        name: 'GitHub',
        baseUrl: access.url,
        headers: (value) => ({
          accept: 'application/vnd.github+json',
          'x-github-api-version': '2022-11-28',
          authorization: `Bearer ${value}`,
        }),
      });
    case 'gitlab':
      return createRest({
        ...common,
        name: 'GitLab',
        baseUrl: `${access.url}/api/v4`,
        headers: (value) => ({ 'private-token': value }),
      });
    case 'jenkins':
      return createRest({
        ...common,
        name: 'Jenkins',
        baseUrl: access.url,
        headers: (value) => ({
          authorization: `Basic ${Buffer.from(`${access.user}:${value}`).toString('base64')}`,
        }),
      });
  }
}
