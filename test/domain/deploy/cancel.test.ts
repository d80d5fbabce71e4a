/** Cancelling what runs, at each moment of its life; and the robot that stops. */

import { expect } from 'chai';
import { createDeploys } from '../../../src/domain/deploy/deploys.ts';
import type { DeployStore, Deploys } from '../../../src/domain/deploy/ports.ts';
import type { Target, TargetOutcome, TargetRun } from '../../../src/domain/deploy/target.ts';
import { createMemory, memoryDeploys } from '../../support/deploy-memory.ts';
import { clock } from '../../support/deploys.ts';
import { eventually } from '../../support/eventually.ts';
import { collectingLog } from '../../support/log.ts';

const BOB = { id: 'test:bob', name: 'bob' };
const ALICE = { id: 'test:alice', name: 'alice' };
const SERVICE = { service: 'hello', environment: 'staging' };
const NEVER = new AbortController().signal;

describe('cancelling', () => {
  let store: DeployStore;
  let deploys: Deploys;
  /** What the target was asked to do, and with what. */
  let asked: { readonly what: 'deploy' | 'resume'; readonly run: TargetRun; readonly wasAborted: boolean }[];
  let settled: PromiseWithResolvers<void>;

  /** Goes on until it is told to stop. */
  function follow(what: 'deploy' | 'resume', run: TargetRun): Promise<TargetOutcome> {
    asked.push({ what, run, wasAborted: run.signal.aborted });
    return new Promise((done) =>
      run.signal.addEventListener('abort', () => done({ kind: 'interrupted', text: 'it was stopped' }), { once: true }),
    );
  }

  beforeEach(async () => {
    asked = [];
    settled = Promise.withResolvers();
    settled.resolve();
    store = memoryDeploys(createMemory(), async () => undefined);
    const target: Target = {
      kind: 'test',
      async deploy(_request, run) {
        await run.remember({ at: 'staging' });
        return await follow('deploy', run);
      },
      resume: (_request, _handle, run) => follow('resume', run),
      current: async () => undefined,
      versions: async () => 'unsupported',
      settle: () => settled.promise,
    };
    deploys = createDeploys({
      config: {
        environments: [{ name: 'staging' }],
        services: [
          {
            name: 'hello',
            environments: ['staging'],
            target: { kind: 'command', folder: '.', deploy: ['true'], timeoutMs: 1_000, pass: [], variables: {} },
          },
        ],
      },
      store,
      locks: async () => [],
      target: () => target,
      clock,
      replica: 'here',
      enqueue: async () => undefined,
      tellCancelled: async (id) => deploys.stop(id),
      post: async () => undefined,
      ended: async () => undefined,
      redact: (text) => text,
      may: async () => true,
      log: collectingLog(),
    });
    await deploys.start({ ...SERVICE, version: 'v1', by: ALICE, origin: { chat: 'test', room: 'ops' } });
  });

  async function ending(): Promise<string> {
    const found = await store.get(1);
    return `${found?.state}: ${found?.reason ?? 'no reason'}`;
  }

  it('stops what runs', async () => {
    const running = deploys.run(1, NEVER);
    await eventually(() => asked.length === 1);
    expect((await deploys.cancel(1, BOB)).kind).to.equal('stopping');
    await running;
    expect(asked[0]?.run.signal.reason).to.equal('cancel');
    expect(await ending()).to.equal('cancelled: bob cancelled it');
  });

  it('begins nothing when it comes while the place is still being cleared', async () => {
    settled = Promise.withResolvers();
    const running = deploys.run(1, NEVER);
    await eventually(async () => (await store.get(1))?.state === 'running');
    await deploys.cancel(1, BOB);
    settled.resolve();
    await running;
    expect(asked).to.deep.equal([]);
    expect(await ending()).to.equal('cancelled: bob cancelled it');
  });

  describe('what another process had begun', () => {
    beforeEach(async () => {
      await store.claim(1, 'there', clock.now(), undefined);
      await store.remember(1, 'there', { at: 'staging' });
      await store.leave(1, 'there');
    });

    it('stops it once it is taken up', async () => {
      const running = deploys.run(1, NEVER);
      await eventually(() => asked.length === 1);
      await deploys.cancel(1, BOB);
      await running;
      expect(asked.map(({ what, wasAborted }) => ({ what, wasAborted }))).to.deep.equal([
        { what: 'resume', wasAborted: false },
      ]);
      expect(await ending()).to.equal('cancelled: bob cancelled it');
    });

    it('stops it when it was cancelled while nobody followed it', async () => {
      await deploys.cancel(1, BOB);
      await deploys.run(1, NEVER);
      // The target hears of it while it follows: one that waits for the word would miss one that came before.
      expect(asked.map(({ what, wasAborted }) => ({ what, wasAborted }))).to.deep.equal([
        { what: 'resume', wasAborted: false },
      ]);
      expect(await ending()).to.equal('cancelled: bob cancelled it');
    });

    it('is left to the next one when the robot stops already', async () => {
      await deploys.run(1, AbortSignal.abort(new Error('the robot shuts down')));
      expect(asked).to.deep.equal([]);
      expect((await store.get(1))?.state).to.equal('running');
      expect((await store.takeUp(1, 'another'))?.id).to.equal(1);
    });
  });

  it('what was accepted while the robot stops waits for the next start', async () => {
    await deploys.run(1, AbortSignal.abort(new Error('the robot shuts down')));
    expect(asked).to.deep.equal([]);
    expect((await store.get(1))?.state).to.equal('queued');
  });
});
