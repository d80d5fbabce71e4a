/** What is shown and kept of what a target says, and as whom it is asked whether it may begin. */

import { expect } from 'chai';
import type { Content } from '../../../src/bot/card.ts';
import { createDeploys } from '../../../src/domain/deploy/deploys.ts';
import type { DeployPorts, Deploys } from '../../../src/domain/deploy/ports.ts';
import type { TargetRun } from '../../../src/domain/deploy/target.ts';
import { redact } from '../../../src/domain/privacy/redact.ts';
import { createMemory, memoryDeploys } from '../../support/deploy-memory.ts';
import { clock } from '../../support/deploys.ts';
import { eventually } from '../../support/eventually.ts';
import { collectingLog } from '../../support/log.ts';

const ALICE = { id: 'test:alice', name: 'alice' };
/** Made up; put together here so that no scanner takes this file for a leak. */
const TOKEN = `ghp_${'aB3dE5gH7jK9mN1pQ4sT6vW8yZ0cF2iL5oR7'}`;

describe('what a target says', () => {
  const store = () => memoryDeploys(createMemory(), async () => undefined);

  function deploysWith(speak: (run: TargetRun) => Promise<void>, change: Partial<DeployPorts> = {}): Deploys {
    return createDeploys({
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
      store: store(),
      locks: async () => [],
      target: () => ({
        kind: 'test',
        async deploy(_request, run) {
          await speak(run);
          return { kind: 'failed', code: 'test', text: 'it ended' };
        },
        current: async () => undefined,
        versions: async () => 'unsupported',
        settle: async () => undefined,
      }),
      clock,
      replica: 'here',
      enqueue: async () => undefined,
      tellCancelled: async () => undefined,
      post: async () => undefined,
      beside: async () => [],
      ended: async () => undefined,
      redact,
      may: async () => true,
      log: collectingLog(),
      ...change,
    });
  }

  async function begin(deploys: Deploys): Promise<void> {
    await deploys.start({
      service: 'hello',
      environment: 'staging',
      version: 'v1',
      by: ALICE,
      origin: { chat: 'test', room: 'ops' },
    });
    await deploys.run(1, new AbortController().signal);
  }

  it('shows no half of a secret, wherever a line is cut', async () => {
    const posts: Content[] = [];
    const shown = () => JSON.stringify(posts);
    const deploys = deploysWith(
      async (run) => {
        // A line that is shown is cut at 200 characters, one that is kept at 2000.
        for (const before of [170, 185, 280, 1_980])
          run.output(`${'. '.repeat(before / 2)}${TOKEN} ${'x '.repeat(900)}`);
        run.progress({ text: `${'. '.repeat(90)}${TOKEN}` });
        await eventually(() => shown().includes('. . .'));
      },
      { post: async (_origin, content) => void posts.push(content) },
    );
    await begin(deploys);
    const kept = (await deploys.log(1))?.output ?? '';
    expect(kept.match(/\[redacted: GitHub token\]/g)).to.have.length(5);
    expect(kept + shown()).to.not.include('ghp_');
  });

  it('nothing, if whoever asked for it then may not deploy now', async () => {
    const asked: unknown[] = [];
    const at = new Date('2026-01-31T12:00:00Z');
    const deploys = deploysWith(async () => expect.fail('it began'), {
      clock: { ...clock, now: () => at },
      may: async (...question) => {
        asked.push(question);
        return false;
      },
    });
    await begin(deploys);
    expect(asked).to.deep.equal([[ALICE, 'deploy:staging', at]]);
    expect(await deploys.get(1)).to.include({ state: 'cancelled' });
  });
});
