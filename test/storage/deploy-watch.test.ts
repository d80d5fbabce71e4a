import { expect } from 'chai';
import type { DeployStore, NewDeployment } from '../../src/domain/deploy/ports.ts';
import type { Tie } from '../../src/domain/deploy/tie.ts';
import type { WatchStore } from '../../src/domain/deploy/watch.ts';
import { createWatchStore } from '../../src/storage/deploy-watch.ts';
import { createDeployStore } from '../../src/storage/deploys.ts';
import { eachDatabase } from '../support/database.ts';

const at = new Date('2026-01-31T12:00:00Z');
const later = new Date('2026-01-31T12:00:09Z');

eachDatabase((open) => {
  describe('what follows a deployment', function () {
    this.timeout(30_000);
    let deployments: DeployStore;
    let store: WatchStore;
    let places = 0;
    before(async () => {
      const db = await open();
      deployments = createDeployStore(db);
      store = createWatchStore(db);
    });

    async function asked(change: Partial<NewDeployment> = {}): Promise<number> {
      places += 1;
      const result = await deployments.start({
        service: 'hello',
        environment: `place-${places}`,
        version: 'v2',
        by: { id: 'web:1', name: 'alice' },
        origin: { chat: 'web', room: 'ops' },
        at,
        ...change,
      });
      if (result.kind === 'locked') throw new Error('locked');
      return result.deployment.id;
    }

    function tie(deployment: number, alert: number, change: Partial<Tie> = {}): Tie {
      const severity = 'critical';
      return {
        deployment,
        alert,
        title: 'Errors',
        severity,
        startsAt: at,
        isFiring: true,
        isCertain: false,
        ...change,
      };
    }

    it('keeps the last that is known of each tie', async () => {
      const [one, other] = [await asked(), await asked()];
      const alert = one * 100;
      await store.tie(tie(one, alert, { startsAt: later }));
      await store.tie(tie(one, alert + 1));
      await store.tie(tie(other, alert));
      await store.tie(tie(one, alert, { startsAt: later, isFiring: false, title: 'More\0', severity: 'page' }));
      const changed = tie(one, alert, { startsAt: later, isFiring: false, severity: 'page' });
      const [first, second, ...none] = await store.tiesOf(one);
      expect(none).to.deep.equal([]);
      expect(first).to.deep.equal(tie(one, alert + 1));
      expect(second).to.deep.equal({ ...changed, title: second?.title });
      expect(second?.title).to.match(/^More/);
      expect((await store.tied(alert)).map(({ deployment }) => deployment)).to.deep.equal([other, one]);
      expect(await store.tied(alert + 7)).to.deep.equal([]);
    });

    it('lets one of many wish for the rollback of a deployment, and one end the wish', async () => {
      const id = await asked();
      const wishes = Array.from({ length: 20 }, (_, index) =>
        store.want({ deployment: id, cause: 'alert', reason: `alert ${index}`, wantedAt: at }),
      );
      const won = (await Promise.all(wishes)).flatMap((isNew, index) => (isNew ? [index] : []));
      expect(won).to.have.length(1);
      const wish = { deployment: id, cause: 'alert', reason: `alert ${won[0]}`, wantedAt: at } as const;
      expect(await store.wayBack(id)).to.deep.equal(wish);
      expect(await store.wanted()).to.include(id);
      const ends = Array.from({ length: 5 }, (_, index) => store.settle(id, 'locked', `lock ${index}`, later));
      expect((await Promise.all(ends)).filter(Boolean)).to.have.length(1);
      expect(await store.wayBack(id)).to.deep.include({ ...wish, outcome: 'locked' });
      expect(await store.wanted()).to.not.include(id);
      expect(await store.wayBack(id + 1000)).to.equal(undefined);
    });

    it('records that somebody goes back', async () => {
      const id = await asked({ isRollback: true });
      expect(await deployments.get(id)).to.deep.include({ isRollback: true });
      expect(await deployments.get(await asked())).to.not.have.any.keys('isRollback', 'rollsBack');
    });

    it('begins one rollback of the robot for each deployment', async () => {
      const [id, other] = [await asked(), await asked()];
      const back = (rollsBack: number) => ({ environment: 'back', isRollback: true, rollsBack, version: 'v1' });
      const begun = await Promise.all(Array.from({ length: 10 }, () => asked(back(id))));
      expect(new Set(begun).size).to.equal(1);
      expect(await deployments.get(begun[0] ?? 0)).to.deep.include({ rollsBack: id, isRollback: true });
      expect(await asked(back(other))).to.not.equal(begun[0]);
    });
  });
});
