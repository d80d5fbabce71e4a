/** Reading labels and annotations: whatever they are called, also `constructor`. */

import type { Labels } from './ports.ts';

/** The value of a label; empty if there is none. */
export function labelOf(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}

/** Labels that all of these alerts share. */
export function commonLabels(all: readonly Labels[]): Labels {
  const [first, ...others] = all;
  if (!first) return {};
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) =>
      others.every((each) => Object.hasOwn(each, name) && each[name] === value),
    ),
  );
}
