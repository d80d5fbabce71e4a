/** Why nothing is deployed: one reason for each rule that says no, with what it takes to put it into words. */

import type { Lock } from './locks.ts';
import type { Change, Deployment } from './ports.ts';
import type { RuleCheck } from './rules.ts';

export type Refusal =
  | {
      readonly kind: 'refused';
      readonly reason: 'unknown_service';
      readonly service: string;
      readonly known: readonly string[];
    }
  | {
      readonly kind: 'refused';
      readonly reason: 'unknown_environment';
      readonly service: string;
      readonly environment: string;
      readonly known: readonly string[];
    }
  | { readonly kind: 'refused'; readonly reason: 'no_version'; readonly service: string }
  | { readonly kind: 'refused'; readonly reason: 'bad_version'; readonly version: string }
  | {
      readonly kind: 'refused';
      readonly reason: 'unknown_version';
      readonly service: string;
      readonly version: string;
      readonly known: readonly string[];
    }
  /** It is no version of the target, and no name in Git. */
  | {
      readonly kind: 'refused';
      readonly reason: 'unknown_name';
      readonly service: string;
      readonly version: string;
      readonly source: string;
    }
  | {
      readonly kind: 'refused';
      readonly reason: 'ambiguous';
      readonly version: string;
      readonly commits: readonly string[];
    }
  /** Git knows it, and the target has nothing made of that commit. */
  | {
      readonly kind: 'refused';
      readonly reason: 'not_built';
      readonly service: string;
      readonly version: string;
      readonly commit: string;
      readonly known: readonly string[];
    }
  /** None of the newest has passed its checks. */
  | { readonly kind: 'refused'; readonly reason: 'none_passed'; readonly service: string; readonly tried: number }
  /** Git cannot be asked; `text` says why, as a clause. */
  | {
      readonly kind: 'refused';
      readonly reason: 'source';
      readonly service: string;
      readonly version: string;
      readonly text: string;
    }
  | {
      readonly kind: 'refused';
      readonly reason: 'already_live';
      readonly service: string;
      readonly environment: string;
      readonly version: string;
      readonly since?: Date;
    }
  | {
      readonly kind: 'refused';
      readonly reason: 'rules';
      readonly service: string;
      readonly environment: string;
      readonly version: string;
      /** Those that say no. */
      readonly broken: readonly RuleCheck[];
    }
  /** What must be approved cannot wait in line: by its turn it would be something else. */
  | { readonly kind: 'refused'; readonly reason: 'busy'; readonly holder: Deployment }
  | { readonly kind: 'refused'; readonly reason: 'approval'; readonly service: string; readonly environment: string }
  | {
      readonly kind: 'refused';
      readonly reason: 'changed';
      readonly service: string;
      readonly environment: string;
      readonly approved: Change;
      readonly now: Change;
    }
  | {
      readonly kind: 'refused';
      readonly reason: 'locked';
      readonly service: string;
      readonly environment: string;
      readonly lock: Lock;
    }
  | { readonly kind: 'refused'; readonly reason: 'unclear'; readonly service: string; readonly text: string };
