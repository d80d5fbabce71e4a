/** Numbers and tables that all measurements share. */

import { cpus, totalmem } from 'node:os';

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What the figures mean and how they were taken. */
  readonly notes: readonly string[];
}

/** The value below which that share of the values lies; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Two significant digits, with thousands separated: 61,000. */
export function rounded(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en');
}

/** What matters of this machine for the figures. */
export function machine(): string {
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `Node ${process.versions.node}, ${cpus().length} cores, ${memory} GB, ${process.platform} ${process.arch}`;
}

export function markdown({ title, head, rows, notes }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = line(head.map((_, column) => (column === 0 ? '---' : '---:')));
  return [`### ${title}`, '', line(head), rule, ...rows.map(line), '', ...notes, ''].join('\n');
}

/** What the project promises, and what was measured. */
export interface Goal {
  readonly what: string;
  readonly measured: number;
  readonly unit: string;
  /** The measured value is to be below it, or at least it. */
  readonly goal: { readonly below: number } | { readonly atLeast: number };
  /** Share of the goal by which a busy machine may miss it, for noise: 0.1 is a tenth. */
  readonly tolerance: number;
}

/** Names every goal that was missed, and makes the process end with exit code 1 if one was missed by more than its tolerance. */
export function judge(goals: readonly Goal[]): void {
  for (const { what, measured, unit, goal, tolerance } of goals) {
    const wanted = 'below' in goal ? `below ${goal.below}` : `at least ${goal.atLeast}`;
    // Written so that NaN, where the system does not tell, is a miss.
    const within = (share: number): boolean =>
      'below' in goal ? measured < goal.below * (1 + share) : measured >= goal.atLeast * (1 - share);
    if (within(0)) continue;
    const forgiven = within(tolerance);
    const verdict = forgiven ? `missed, within ${tolerance * 100} % of tolerance` : 'MISSED';
    console.log(`${what}: ${verdict}: ${measured.toFixed(2)} ${unit}, the goal is ${wanted} ${unit}.\n`);
    if (!forgiven) process.exitCode = 1;
  }
}
