/** Asking a server to run something again. Addresses, users and names of tokens come from the configuration alone. */

import type { Clock } from '../../domain/deploy/ports.ts';
import type { PipelineAccess, RerunPlace } from '../../domain/pipelines/access.ts';
import type { Repeated } from '../../domain/pipelines/rerun.ts';
import type { Rest } from '../rest/client.ts';
import { mayHaveArrived, RestProblem } from '../rest/problem.ts';
import { githubRest, gitlabRest, jenkinsRest } from '../servers.ts';
import { rerunGithub } from './github/rerun.ts';
import { rerunGitlab } from './gitlab/rerun.ts';
import { rerunJenkins } from './jenkins/rerun.ts';

/** @param environment the robot's, where the tokens are */
export function createRepeat(
  environment: Readonly<Record<string, string | undefined>>,
  clock?: Clock,
): (place: RerunPlace, all: boolean) => Promise<Repeated> {
  return async (place, all) => {
    const rest = restOf(place.access, { environment, ...(clock === undefined ? {} : { clock }) });
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

function restOf(access: PipelineAccess, around: Parameters<typeof githubRest>[1]): Rest {
  switch (access.kind) {
    case 'github':
      return githubRest(access, around);
    case 'gitlab':
      return gitlabRest(access, around);
    case 'jenkins':
      return jenkinsRest(access, around);
  }
}
