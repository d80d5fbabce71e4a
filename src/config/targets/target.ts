/** Every kind of target. A new kind is a file of its own and one line here. */

import { z } from 'zod';
import { commandTarget } from './command.ts';
import { kubernetesTarget } from './kubernetes.ts';

export const target = z.discriminatedUnion('kind', [commandTarget, kubernetesTarget]);
