/** Every kind of target. A new kind is a file of its own and one line here. */

import { z } from 'zod';
import { argoTarget } from './argocd.ts';
import { commandTarget } from './command.ts';
import { dockerTarget } from './docker.ts';
import { githubTarget } from './github.ts';
import { gitlabTarget } from './gitlab.ts';
import { jenkinsTarget } from './jenkins.ts';
import { kubernetesTarget } from './kubernetes.ts';
import { webhookTarget } from './webhook.ts';

export const target = z.discriminatedUnion('kind', [
  argoTarget,
  commandTarget,
  dockerTarget,
  githubTarget,
  gitlabTarget,
  jenkinsTarget,
  kubernetesTarget,
  webhookTarget,
]);
