/** What runs where: asked of the targets themselves, and put beside what is recorded. */

import { afterwardsIn, watchedUntil } from './afterwards.ts';
import { driftOf } from './drift.ts';
import { type LiveFact, liveFact } from './outcome.ts';
import { isSamePlace, serviceOf } from './place.ts';
import type { Deployment, DeployPorts, Place, Placement } from './ports.ts';
import { type Live, type Target, TargetUnclear } from './target.ts';

/** Targets asked at once by a list. */
const ASKED_AT_ONCE = 8;

export interface Placements {
  /** What is live there. Never throws: that the target cannot say is an answer. */
  current(place: Place): Promise<LiveFact>;
  /** Versions of a service that its target knows, newest first; none if it does not say. */
  versions(service: string): Promise<readonly string[]>;
  list(filter: Partial<Place>): Promise<readonly Placement[]>;
}

export function createPlacements(
  ports: Pick<DeployPorts, 'config' | 'store' | 'target' | 'clock' | 'redact' | 'log'>,
): Placements {
  const { config, store, clock, log } = ports;

  async function current({ service, environment }: Place): Promise<LiveFact> {
    try {
      return serviceOf(config, service) === undefined
        ? { kind: 'unsupported' }
        : liveFact(await ports.target(service).current(service, environment));
    } catch (error) {
      return { kind: 'unclear', text: unclear(error) };
    }
  }

  async function versions(service: string): Promise<readonly string[]> {
    try {
      const found =
        serviceOf(config, service) === undefined ? 'unsupported' : await ports.target(service).versions(service);
      return found === 'unsupported' ? [] : found;
    } catch {
      return [];
    }
  }

  function unclear(error: unknown): string {
    if (error instanceof TargetUnclear) return ports.redact(error.message);
    log.error({ err: error }, 'deployment target failed');
    return 'the target failed in an unexpected way';
  }

  async function list(filter: Partial<Place>): Promise<readonly Placement[]> {
    const [open, good] = await Promise.all([store.open(), store.lastGood()]);
    const places = config.services
      .filter(({ name }) => filter.service === undefined || name === filter.service)
      .flatMap(({ name, environments }) => environments.map((environment) => ({ service: name, environment })))
      .filter(({ environment }) => filter.environment === undefined || environment === filter.environment);
    const answers: Placement[] = [];
    for (let from = 0; from < places.length; from += ASKED_AT_ONCE) {
      const some = places.slice(from, from + ASKED_AT_ONCE).map(async (place): Promise<Placement> => {
        const here = (one: Deployment) => isSamePlace(one, place);
        const running = open.find(here);
        const target = ports.target(place.service);
        // One service is asked about to decide something; many, to look over them.
        const ask = filter.service === undefined ? (target.glance ?? target.current) : target.current;
        const live = await placed(() => ask(place.service, place.environment), good.find(here), running);
        return { ...place, live, ...(running === undefined ? {} : { open: running }) };
      });
      answers.push(...(await Promise.all(some)));
    }
    return answers;
  }

  async function placed(
    ask: () => ReturnType<Target['current']>,
    last: Deployment | undefined,
    running: Deployment | undefined,
  ): Promise<Placement['live']> {
    const recorded = last === undefined ? {} : { recorded: last.version };
    let found: Live | 'unsupported' | undefined;
    try {
      found = await ask();
    } catch (error) {
      return { kind: 'unclear', text: unclear(error), ...recorded };
    }
    if (found === undefined) return { kind: 'nothing' };
    if (found === 'unsupported') return { kind: 'unclear', text: 'this target cannot tell', ...recorded };
    const ours = last?.version === found.version ? last : undefined;
    const since = earlier(found.since, ours?.finishedAt);
    const drift = driftOf(found, last, running);
    return {
      ...found,
      kind: 'live',
      ...(drift === undefined ? {} : { drift }),
      ...(since === undefined ? {} : { since }),
      ...(ours === undefined ? {} : { by: ours.by.name, ...watchOf(ours) }),
    };
  }

  function watchOf(good: Deployment): { readonly watchedUntil?: Date } {
    const until = watchedUntil(good, afterwardsIn(config, good.environment));
    return until === undefined || until <= clock.now() ? {} : { watchedUntil: until };
  }

  return { current, versions, list };
}

/** A version that was restarted, or set again after another one had failed, has been live since it came. */
function earlier(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
