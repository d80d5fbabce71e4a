/** What every target that speaks HTTP is made of. */

import type { Clock } from '../../../domain/deploy/ports.ts';

export interface HttpTargetOptions<Config> {
  readonly service: string;
  readonly config: Config;
  /** The robot's environment: where tokens and secrets are. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}
