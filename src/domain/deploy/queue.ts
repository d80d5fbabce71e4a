/** The line of each place: whose turn it is, and what the cards of those who wait say. */

import { messageKey } from './keys.ts';
import { isSamePlace, isStuck } from './place.ts';
import type { Deployment, DeployPorts, Line, Place } from './ports.ts';
import { NO_PROGRESS, progressCard } from './progress.ts';
import { lineOf, placesOf, waitingCard } from './waiting.ts';

export interface Queue {
  /** Begins the next one of a place if it is free, and shows everybody who waits there where they are. */
  advance(place: Place): Promise<void>;
  /** The same for every place. */
  advanceAll(): Promise<void>;
  lines(): Promise<readonly Line[]>;
}

/** @param retell shows again how a deployment ended, as the last word on its card */
export function createQueue(ports: DeployPorts, retell: (deployment: Deployment) => Promise<void>): Queue {
  const { store, clock, log } = ports;
  /** Whether a refresh that is under way has to look once more. */
  const refreshing = new Map<string, { again: boolean }>();

  async function lines(): Promise<readonly Line[]> {
    const now = clock.now();
    const [open, waiting, locks] = await Promise.all([store.open(), store.waiting(), ports.locks(now)]);
    return placesOf([...open, ...waiting]).map((place) => lineOf(place, open, waiting, locks, now));
  }

  async function lineAt(place: Place): Promise<Line> {
    const now = clock.now();
    const [open, waiting, locks] = await Promise.all([store.open(), store.waiting(), ports.locks(now)]);
    return lineOf(place, open, waiting, locks, now);
  }

  async function advance(place: Place): Promise<void> {
    const next = await store.next(place, clock.now());
    if (next === undefined) {
      const holder = (await store.open()).find((one) => isSamePlace(one, place));
      if (holder !== undefined && isStuck(holder, clock.now())) await ports.enqueue(holder.id);
    } else {
      await correct(next.id);
      await ports.enqueue(next.id);
    }
    await refresh(place);
  }

  /** Many changes at once are shown together. */
  async function refresh(place: Place): Promise<void> {
    const key = `${place.service} ${place.environment}`;
    const under = refreshing.get(key);
    if (under !== undefined) {
      under.again = true;
      return;
    }
    const mine = { again: true };
    refreshing.set(key, mine);
    try {
      while (mine.again) {
        mine.again = false;
        await show(place);
      }
    } catch (error) {
      // The next change shows it; nobody's turn depends on it.
      log.warn({ err: error, ...place }, 'line not shown');
    } finally {
      refreshing.delete(key);
    }
  }

  async function show(place: Place): Promise<void> {
    let shown = await lineAt(place);
    for (;;) {
      for (const one of shown.waiting) {
        await ports.post(one.origin, waitingCard(one, shown, clock.now()), messageKey(one.id));
      }
      if (shown.waiting.length === 0) return;
      const now = await lineAt(place);
      // Whoever left the line while the card was on its way: that it waits must not be the last word.
      const left = shown.waiting.filter((one) => !now.waiting.some(({ id }) => id === one.id));
      for (const { id } of left) await correct(id);
      if (signature(now) === signature(shown)) return;
      shown = now;
    }
  }

  /** Whoever runs it shows the rest. */
  async function correct(id: number): Promise<void> {
    const now = await store.get(id);
    if (now === undefined || now.state === 'running' || now.state === 'waiting') return;
    if (now.state !== 'queued') return await retell(now);
    await ports.post(now.origin, progressCard(now, NO_PROGRESS, clock.now()), messageKey(id));
    const after = await store.get(id);
    if (after !== undefined && after.state !== 'queued') await correct(id);
  }

  async function advanceAll(): Promise<void> {
    for (const place of placesOf(await store.waiting())) await advance(place);
  }

  return { advance, advanceAll, lines };
}

function signature({ holder, waiting, lock }: Line): string {
  return [holder?.id, lock?.id, lock?.until?.getTime(), ...waiting.map(({ id }) => id)].join(' ');
}
