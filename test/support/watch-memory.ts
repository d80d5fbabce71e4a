/** The record of ties and of the robot's own rollbacks as a model in memory. */

import type { WayBack } from '../../src/domain/deploy/auto-rollback.ts';
import type { Tie } from '../../src/domain/deploy/tie.ts';
import type { WatchStore } from '../../src/domain/deploy/watch.ts';

export function memoryWatch(): WatchStore {
  const ties = new Map<string, Tie>();
  const wayBacks = new Map<number, WayBack>();
  return {
    async tie(tie) {
      ties.set(`${tie.deployment} ${tie.alert}`, tie);
    },
    async tiesOf(deployment) {
      return [...ties.values()].filter((tie) => tie.deployment === deployment);
    },
    async tied(alert) {
      return [...ties.values()].filter((tie) => tie.alert === alert).toReversed();
    },
    async want(wayBack) {
      if (wayBacks.has(wayBack.deployment)) return false;
      wayBacks.set(wayBack.deployment, wayBack);
      return true;
    },
    async wayBack(deployment) {
      return wayBacks.get(deployment);
    },
    async settle(deployment, outcome, detail) {
      const found = wayBacks.get(deployment);
      if (found === undefined || found.outcome !== undefined) return false;
      wayBacks.set(deployment, { ...found, outcome, ...(detail === undefined ? {} : { detail }) });
      return true;
    },
    async wanted() {
      return [...wayBacks.values()].filter(({ outcome }) => outcome === undefined).map(({ deployment }) => deployment);
    },
  };
}
