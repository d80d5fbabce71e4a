/** What the robot shows and asks besides messages; the same for every chat that can show it. */

import type { Content } from './card.ts';
import type { Person } from './chat.ts';
import { createForms, type FormPorts, type Forms } from './form.ts';
import { overviewCards, overviewOf, type Suggestion, suggestionsFor } from './overview.ts';
import type { Services } from './services.ts';

export interface Surfaces extends Forms {
  /** What concerns this person now: approvals, alerts, what is running, what they may do. */
  overview(person: Person): Promise<readonly Content[]>;
  /** What to offer somebody who opens a conversation. */
  suggestions(person: Person): Promise<readonly Suggestion[]>;
}

/** @param services asked for at the moment of use */
export function createSurfaces(ports: FormPorts & { readonly services: () => Services }): Surfaces {
  return {
    ...createForms(ports),
    overview: async (person) => overviewCards(await overviewOf(person, ports.services(), ports.now())),
    suggestions: (person) => suggestionsFor(person, ports.services()),
  };
}
