/** The commits between what is live and what shall be, as people read them. */

import { plain } from '../../bot/card.ts';
import { safeLink } from '../alerts/link.ts';
import { age } from './duration.ts';
import { type Commit, type Comparison, type Side, short } from './source.ts';
import { listed } from './words.ts';

/** Commits named on each side. */
export const LISTED = 10;
const TITLE = 100;
const AUTHORS = 5;

/** `text` says as a clause why they are not known. */
export type CommitsFact =
  | { readonly kind: 'known'; readonly comparison: Comparison }
  | { readonly kind: 'unclear'; readonly text: string };

/** Markdown. */
export function commitLines(fact: CommitsFact, now: Date): string {
  if (fact.kind === 'unclear') return `Which commits that changes is not known: ${plain(fact.text)}.`;
  const { come, go, url, stale } = fact.comparison;
  const parts = [
    ...(come.count === 0 ? [] : [sideLines(come, 'comes', 'come')]),
    ...(go.count === 0 ? [] : [sideLines(go, 'goes away', 'go away')]),
  ];
  if (parts.length === 0) parts.push('It is the same commit.');
  const link = safeLink('All of it', url);
  if (link !== undefined) parts.push(link);
  if (stale !== undefined) parts.push(`As of ${age(stale.since, now)}: ${plain(stale.text)}.`);
  return parts.join('\n\n');
}

/** `12 commits come, by alice and bob:` and the newest of them. */
function sideLines(side: Side, one: string, many: string): string {
  const { count, isAtLeast, commits } = side;
  const shown = commits.slice(0, LISTED);
  const exactly = isAtLeast ? `At least ${count}` : String(count);
  const head = `**${exactly} ${count === 1 ? `commit ${one}` : `commits ${many}`}**, by ${authors(commits, count > commits.length)}:`;
  const rest = count - shown.length;
  const more = rest > 0 ? [`- and ${isAtLeast ? 'at least ' : ''}${rest} more`] : [];
  return `${head}\n${[...shown.map((commit) => `- ${line(commit)}`), ...more].join('\n')}`;
}

function line({ id, author, title }: Commit): string {
  const text = title.length > TITLE ? `${title.slice(0, TITLE)} …` : title;
  return `\`${short(id)}\` ${plain(text)} (${plain(author)})`;
}

/** Whoever wrote most of them first. */
function authors(commits: readonly Commit[], isPart: boolean): string {
  const counts = new Map<string, number>();
  for (const { author } of commits) counts.set(author, (counts.get(author) ?? 0) + 1);
  const names = [...counts].sort(([, one], [, other]) => other - one).map(([name]) => plain(name));
  const others = names.length > AUTHORS || isPart ? ['others'] : [];
  return listed([...names.slice(0, AUTHORS), ...others]);
}
