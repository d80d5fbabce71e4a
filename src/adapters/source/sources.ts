/** The source of each service, by the kind that config/services.yaml names. A new kind is one folder and one line here. */

import type { Clock } from '../../domain/deploy/ports.ts';
import type { Check, Source, SourceConfig } from '../../domain/deploy/source.ts';
import { createGitSource } from './git/client.ts';
import { createMirrors } from './git/mirrors.ts';
import { createGithubSource } from './github/client.ts';
import { createGitlabSource } from './gitlab/client.ts';

const hosts = { github: createGithubSource, gitlab: createGitlabSource };

export interface SourcesOptions {
  readonly services: readonly { readonly name: string; readonly repository?: string; readonly source?: SourceConfig }[];
  readonly dataFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the pipelines of a repository said of a commit. */
  readonly reported: (repository: string, commit: string) => Promise<readonly Check[]>;
  readonly clock: Clock;
  /** What was fetched so short a time ago is new; two seconds unless given. */
  readonly freshMs?: number;
}

export interface Sources {
  /** The source of a service; the same one each time. */
  of(service: string): Source | undefined;
  /** Copies what is to be copied. */
  prepare(): void;
  close(): void;
}

export function createSources({ services, reported, ...options }: SourcesOptions): Sources {
  const made = new Map<string, Source>();
  const mirrors = createMirrors(options);
  for (const { name, repository, source: config } of services) {
    if (config === undefined) continue;
    if (config.kind !== 'git') {
      made.set(name, hosts[config.kind]({ ...options, config }));
      continue;
    }
    const own = repository ?? config.name;
    const mirror = mirrors.of(config);
    made.set(name, createGitSource({ config, mirror, reported: (commit) => reported(own, commit) }));
  }
  return { of: (service) => made.get(service), prepare: mirrors.prepare, close: mirrors.close };
}
