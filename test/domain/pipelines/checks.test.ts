/** Whose word counts for required checks. */

import { expect } from 'chai';
import { SourceUnclear } from '../../../src/domain/deploy/source.ts';
import { reportedChecks } from '../../../src/domain/pipelines/checks.ts';
import type { PipelineSource, RecordedRun } from '../../../src/domain/pipelines/ports.ts';
import { failure } from '../../support/failure.ts';

describe('checks that hooks report', () => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  const run = (id: number, source: PipelineSource, name: string): RecordedRun => ({
    id,
    source,
    run: `ci.example/run/${id}`,
    kind: 'pipeline',
    repository: 'acme/web',
    name,
    state: 'succeeded',
    commit,
    heardAt: new Date(0),
    jobs: [],
  });

  async function checks(runs: readonly RecordedRun[], ...trusted: PipelineSource[]): Promise<readonly string[]> {
    const store = {
      runs: async ({ sources, limit }: { readonly sources?: readonly PipelineSource[]; readonly limit: number }) =>
        runs.filter(({ source }) => sources?.includes(source) ?? true).slice(0, limit),
    };
    const found = await reportedChecks(store, { repository: 'acme/web', commit }, trusted);
    return found.map(({ name }) => name);
  }

  it('count where the hook has a secret of its own', async () => {
    const both = [run(1, 'jenkins', 'build'), run(2, 'github', 'test')];
    expect(await checks(both, 'github')).to.deep.equal(['test']);
    expect(await checks(both, 'github', 'jenkins')).to.deep.equal(['build', 'test']);
    expect(await checks([], 'github')).to.deep.equal([]);
  });

  it('are not crowded out by others', async () => {
    const many = Array.from({ length: 200 }, (_, id) => run(id, 'jenkins', `forged ${id}`));
    expect(await checks([...many, run(200, 'github', 'test')], 'github')).to.deep.equal(['test']);
  });

  it('are not known where only others told of any, and say what to do', async () => {
    const error = await failure(checks([run(1, 'jenkins', 'build')], 'github'));
    expect(error).to.be.instanceOf(SourceUnclear).with.property('message').that.includes('set SHIPMATE_JENKINS_TOKEN');
  });
});
