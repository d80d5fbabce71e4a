/** The order in which events are handled: those of one channel one after the other, as they happened. */

import { isObject } from './json.ts';
import type { InboxEvent } from './ports.ts';

export interface Begun {
  readonly event: InboxEvent;
  /** It is handled, or took its time: the next one of the channel may begin. */
  over(): void;
}

export interface Lanes {
  add(event: InboxEvent): void;
  /** The one whose turn it is; undefined if there is none now. */
  next(): Begun | undefined;
  /** How many have not begun. */
  waiting(): number;
}

export function createLanes(): Lanes {
  /** By channel in which something is being handled, what waits for that. */
  const lanes = new Map<string, InboxEvent[]>();
  const ready: { readonly event: InboxEvent; readonly channel: string | undefined }[] = [];
  let queued = 0;

  function leave(channel: string): void {
    const event = lanes.get(channel)?.shift();
    if (!event) {
      lanes.delete(channel);
      return;
    }
    queued--;
    ready.push({ event, channel });
  }

  return {
    add(event) {
      const channel = channelOf(event);
      const lane = channel === undefined ? undefined : lanes.get(channel);
      if (lane) {
        // Two connections do not keep the order in which things happened.
        const later = lane.findIndex((other) => timeOf(other) > timeOf(event));
        lane.splice(later === -1 ? lane.length : later, 0, event);
        queued++;
        return;
      }
      if (channel !== undefined) lanes.set(channel, []);
      ready.push({ event, channel });
    },
    next() {
      const first = ready.shift();
      if (!first) return undefined;
      let isOver = false;
      return {
        event: first.event,
        over() {
          if (!isOver && first.channel !== undefined) leave(first.channel);
          isOver = true;
        },
      };
    },
    waiting: () => ready.length + queued,
  };
}

/** When it happened, in seconds; what does not say comes after all that do. */
function timeOf({ body }: InboxEvent): number {
  const { event } = body;
  const at = isObject(event) ? Number(event['event_ts'] ?? event['ts']) : Number.NaN;
  return Number.isNaN(at) ? Number.POSITIVE_INFINITY : at;
}

/** Where it happened; undefined if that is in no channel, or does not say. */
function channelOf({ body }: InboxEvent): string | undefined {
  const { event, channel, channel_id: command } = body;
  const place = isObject(event)
    ? (event['channel'] ?? (isObject(event['item']) ? event['item']['channel'] : undefined))
    : (channel ?? command);
  const id = isObject(place) ? place['id'] : place;
  return typeof id === 'string' ? id : undefined;
}
