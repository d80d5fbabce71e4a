/** What the hosts have in common. */

import type { Clock } from '../../domain/deploy/ports.ts';
import { type HostedSourceConfig, type Source, SourceUnclear } from '../../domain/deploy/source.ts';
import type { Rest } from '../rest/client.ts';
import { RestProblem } from '../rest/problem.ts';

export interface HostedSourceOptions {
  readonly config: HostedSourceConfig;
  /** The robot's environment, where the token is. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** An answer larger than this is not read: a comparison of GitHub holds files, too. */
export const MOST_BYTES = 20_000_000;
/** Pages of checks that are read, of a hundred each. */
export const PAGES = 5;

/** The same source, whose problems are {@link SourceUnclear}; many who ask the same at once share one answer. */
export function clearSource(source: Source): Source {
  function once<A extends readonly (string | number)[], T>(
    ask: (...args: A) => Promise<T>,
  ): (...args: A) => Promise<T> {
    const open = new Map<string, Promise<T>>();
    return (...args) => {
      const key = JSON.stringify(args);
      const known = open.get(key);
      if (known !== undefined) return known;
      const answer = ask(...args)
        .catch((error: unknown) => {
          if (error instanceof RestProblem) throw new SourceUnclear(error.message, { cause: error });
          throw error;
        })
        .finally(() => open.delete(key));
      open.set(key, answer);
      return answer;
    };
  }

  return {
    config: source.config,
    resolve: once(source.resolve),
    compare: once(source.compare),
    newest: once(source.newest),
    checks: once(source.checks),
  };
}

/** Undefined if there is no such thing. @throws RestProblem for everything else */
export async function ifThere<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof RestProblem && (error.kind === 'not_found' || error.kind === 'invalid')) return undefined;
    throw error;
  }
}

/** Throws what the host says of a repository that it does not show: then nothing in it is there either. */
export async function mustBeThere(rest: Rest, path: string): Promise<void> {
  await rest.ask({ path });
}

/** What is not seen could have failed. */
export function tooMany(host: string): RestProblem {
  return new RestProblem(
    'too_big',
    `${host} has more than ${PAGES * 100} checks of this commit, and they were not all read`,
  );
}

/** The first line of a message. */
export function titleOf(message: string): string {
  return message.trimStart().split('\n', 1)[0] ?? '';
}
