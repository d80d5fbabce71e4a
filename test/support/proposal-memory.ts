/** The record of proposals as a model in memory: each call takes effect at one moment, after `step`. */

import type { Address, Person } from '../../src/bot/chat.ts';
import type { Proposal, Proposals, Standing } from '../../src/bot/proposals.ts';

interface Row {
  proposal: Proposal;
  given: readonly Person[];
  end?: NonNullable<Standing['end']> & { readonly source: string | undefined; readonly at: Date };
  settled: boolean;
}

/** What all replicas share. */
export interface MemoryOfProposals {
  readonly rows: Row[];
}

/** As in the record in SQL. */
const SHOWN_WITHIN_MS = 30_000;

export function createProposalMemory(): MemoryOfProposals {
  return { rows: [] };
}

/** @param step resolves when the next call may take effect; never, once its replica was killed */
export function memoryProposals(
  { rows }: MemoryOfProposals = createProposalMemory(),
  step: () => Promise<void> = async () => undefined,
): Proposals {
  function at(id: number): Row | undefined {
    return rows[id - 1];
  }

  function isOpen(row: Row, now: Date): boolean {
    return row.end === undefined && row.proposal.expiresAt > now;
  }

  function standing({ proposal, given, end }: Row): Standing {
    if (end === undefined) return { proposal, given };
    const { source: _source, at: _at, ...shown } = end;
    return { proposal, given, end: shown };
  }

  return {
    async open(proposal) {
      await step();
      const id = rows.length + 1;
      const made = { ...proposal, id, code: `c${id}` };
      rows.push({ proposal: made, given: [], settled: false });
      return made;
    },
    async unanswered(now) {
      await step();
      return rows.filter((row) => isOpen(row, now)).map(({ proposal }) => proposal);
    },
    async find(code, source, now) {
      await step();
      return rows.findLast(
        (row) =>
          row.proposal.code === code && (isOpen(row, now) || (source !== undefined && row.end?.source === source)),
      )?.proposal;
    },
    async approve({ id }, by, now) {
      await step();
      const row = at(id);
      if (row === undefined) return [];
      if (isOpen(row, now) && !row.given.some((one) => one.id === by.id)) row.given = [...row.given, by];
      return row.given;
    },
    async decide({ id }, decision, { person, source, by = [person], why }, now) {
      await step();
      const row = at(id);
      if (row === undefined) return false;
      if (isOpen(row, now)) {
        row.end = { decision, by, ...(why === undefined ? {} : { why }), source, at: now };
        return true;
      }
      return source !== undefined && row.end?.source === source && row.end.decision === decision;
    },
    async get(id) {
      await step();
      const row = at(id);
      return row && standing(row);
    },
    async shownAt(id, places) {
      await step();
      const row = at(id);
      if (row === undefined) return;
      const all = new Map<string, Address>(
        [...row.proposal.places, ...places].map((place) => [
          JSON.stringify([place.chat, place.room, place.thread]),
          place,
        ]),
      );
      row.proposal = { ...row.proposal, places: [...all.values()] };
    },
    async ended(now) {
      await step();
      for (const row of rows) {
        if (row.end !== undefined || row.proposal.expiresAt > now) continue;
        row.end = { decision: 'expired', by: [], source: undefined, at: now };
      }
      const lately = now.getTime() - SHOWN_WITHIN_MS;
      return rows
        .filter(({ settled }) => !settled)
        .filter(({ end }) => end !== undefined && (end.decision === 'expired' || end.at.getTime() < lately))
        .map(standing);
    },
    async settled(id) {
      await step();
      const row = at(id);
      if (row !== undefined) row.settled = true;
    },
  };
}
