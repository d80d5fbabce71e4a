/** The copies that there are: services of one repository share one. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type GitSourceConfig, SourceUnclear } from '../../../domain/deploy/source.ts';
import { createMirror, type Mirror, type MirrorOptions } from './mirror.ts';
import { gitEnvironment } from './run.ts';

export interface MirrorsOptions
  extends Pick<MirrorOptions, 'clock' | 'freshMs' | 'waitMs' | 'timeoutMs' | 'mostBytes'> {
  readonly dataFolder: string;
  /** The robot's environment, where the tokens are. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Mirrors {
  of(config: GitSourceConfig): Mirror;
  /** Begins to copy what was asked for so far. */
  prepare(): void;
  /** Stops what is under way. */
  close(): void;
}

export function createMirrors({ dataFolder, environment, ...options }: MirrorsOptions): Mirrors {
  const made = new Map<string, Mirror>();

  function make({ name, url, user, tokenFrom }: GitSourceConfig, key: string): Mirror {
    const token = tokenFrom === undefined ? undefined : environment[tokenFrom];
    return createMirror({
      ...options,
      name,
      url,
      folder: join(dataFolder, 'sources', `${key}.git`),
      environment: gitEnvironment(environment),
      remote() {
        if (tokenFrom === undefined) return gitEnvironment(environment);
        if (token !== undefined && token !== '') return gitEnvironment(environment, credentials(url, user, token));
        throw new SourceUnclear(`the variable ${tokenFrom} is not set, so there is no token for ${name}`);
      },
      hasToken: tokenFrom !== undefined,
      hide: (text) => (token === undefined || token === '' ? text : text.replaceAll(token, `[${tokenFrom}]`)),
    });
  }

  return {
    of(config) {
      const key = createHash('sha256')
        .update(JSON.stringify([config.url, config.user, config.tokenFrom]))
        .digest('hex')
        .slice(0, 16);
      const mirror = made.get(key) ?? make(config, key);
      made.set(key, mirror);
      return mirror;
    },
    prepare() {
      // Whoever asks later is told what is wrong with it.
      for (const mirror of made.values()) void mirror.fresh().catch(() => undefined);
    },
    close() {
      for (const mirror of made.values()) mirror.close();
    },
  };
}

/** The token goes to that server only: a redirect to another one is not followed. RFC 7617 */
function credentials(url: string, user: string, token: string): readonly (readonly [string, string])[] {
  const basic = Buffer.from(`${user}:${token}`).toString('base64');
  return [
    [`http.${new URL(url).origin}/.extraHeader`, `Authorization: Basic ${basic}`],
    ['http.followRedirects', 'false'],
  ];
}
