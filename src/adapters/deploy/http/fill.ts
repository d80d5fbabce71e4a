/** Texts of the configuration with the values of one deployment. */

import type { TargetRequest } from '../../../domain/deploy/target.ts';

/** Puts the values where `{name}` stands; what is no name of a value stays as it is. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(
    /\{([a-z]+)\}/g,
    (whole, name: string) => (Object.hasOwn(values, name) ? values[name] : undefined) ?? whole,
  );
}

export function fillAll(
  texts: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, fill(text, values)]));
}

/**
 * What is known of a deployment. The marker tells its run from all others, also from those of another robot: it is made of the
 * number and the time.
 */
export function valuesOf(request: TargetRequest, marker: string) {
  const { service, environment, version } = request;
  return { service, environment, version, marker };
}

export function markerOf(request: TargetRequest, at: Date): string {
  return `shipmate-${request.deployment}-${at.getTime().toString(36)}`;
}
