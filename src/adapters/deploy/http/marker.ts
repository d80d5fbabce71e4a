/** What is known of one deployment, and the mark by which its run is known elsewhere. */

import type { TargetRequest } from '../../../domain/deploy/ports.ts';
import { fillPlaces } from './places.ts';

export function valuesOf({ service, environment, version }: TargetRequest, marker: string) {
  return { service, environment, version, marker };
}

/** Tells the run from all others, also from those of another robot: it is made of the number and the time. */
export function markerOf(request: TargetRequest, at: Date): string {
  return `shipmate-${request.deployment}-${at.getTime().toString(36)}`;
}

/** Each of the texts with its places filled. */
export function fillAll(
  texts: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, fillPlaces(text, values)]));
}
