/** Every migration, in order. A migration is never changed once it has landed: add another. */

import type { Migration } from 'kysely/migration';
import * as storage from './0001-storage.ts';
import * as history from './0002-history.ts';
import * as web from './0003-web.ts';
import * as access from './0004-access.ts';
import * as deploys from './0005-deploys.ts';
import * as alerts from './0006-alerts.ts';
import * as ask from './0007-ask.ts';
import * as postPacing from './0008-post-pacing.ts';
import * as inbox from './0009-inbox.ts';
import * as people from './0010-people.ts';
import * as feedback from './0011-feedback.ts';
import * as deployHandle from './0012-deploy-handle.ts';
import * as deployQueue from './0013-deploy-queue.ts';
import * as approvals from './0014-approvals.ts';
import * as tokens from './0015-tokens.ts';
import * as pipelines from './0016-pipelines.ts';
import * as deployWatch from './0017-deploy-watch.ts';
import * as turnsAndCards from './0018-turns-and-cards.ts';
import * as deployRevision from './0019-deploy-revision.ts';
import * as reruns from './0020-reruns.ts';

export const migrations: Record<string, Migration> = {
  '0001-storage': storage,
  '0002-history': history,
  '0003-web': web,
  '0004-access': access,
  '0005-deploys': deploys,
  '0006-alerts': alerts,
  '0007-ask': ask,
  '0008-post-pacing': postPacing,
  '0009-inbox': inbox,
  '0010-people': people,
  '0011-feedback': feedback,
  '0012-deploy-handle': deployHandle,
  '0013-deploy-queue': deployQueue,
  '0014-approvals': approvals,
  '0015-tokens': tokens,
  '0016-pipelines': pipelines,
  '0017-deploy-watch': deployWatch,
  '0018-turns-and-cards': turnsAndCards,
  '0019-deploy-revision': deployRevision,
  '0020-reruns': reruns,
};
