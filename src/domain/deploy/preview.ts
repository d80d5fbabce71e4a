/** How rules, a dry run and the difference of two environments are shown. */

import { type Card, card, plain } from '../../bot/card.ts';
import { approversText } from '../access/approvers.ts';
import { commitLines } from './commits.ts';
import { duration } from './duration.ts';
import { liveText } from './listing.ts';
import type { Change, Deployment, Placement, Preview } from './ports.ts';
import { revisionText } from './revision.ts';
import type { RuleCheck } from './rules.ts';

/** What each rule is called in `config/services.yaml`, whether it lets through, and what to do. */
export function ruleLines(checks: readonly RuleCheck[]): string {
  return checks
    .map(({ rule, ok, text, next }) => {
      const after = next === undefined ? '' : ` ${plain(next)}`;
      return `- ${ok ? '✓' : '✗'} \`${rule}\`: ${plain(text)}.${after}`;
    })
    .join('\n');
}

/** `v1 → v2`, with the commit of v2 where it is known. */
export function changeText(change: Change): string {
  const { version, previous } = change;
  const revision = revisionText(change);
  const detail = revision === '' ? '' : ` \\(${plain(revision)}\\)`;
  return `${previous === undefined ? 'nothing known' : plain(previous)} → **${plain(version)}**${detail}`;
}

/** The answer to `--dry-run`. */
export function previewCard(preview: Preview, isOverridden: boolean, now: Date): Card {
  const { service, environment, version, checks, holder, approval } = preview;
  const broken = checks.filter(({ ok }) => !ok);
  const stops = broken.length > 0 && !isOverridden;
  const lines = [`Live now → then: ${changeText(preview)}`];
  if (preview.commits !== undefined) lines.push(commitLines(preview.commits, now));
  if (checks.length > 0) lines.push(ruleLines(checks));
  else lines.push(`${plain(environment)} has no rules.`);
  if (broken.length > 0 && isOverridden) lines.push('The rules that say no would be overridden.');
  if (holder !== undefined) {
    const since = duration(now.getTime() - (holder.startedAt ?? holder.requestedAt).getTime());
    const does = holder.state === 'waiting' ? 'waits to deploy' : 'is deploying';
    lines.push(`${plain(holder.by.name)} ${does} ${plain(holder.version)} there, since ${since}.`);
  }
  if (approval !== undefined) lines.push(`To be approved by ${approversText(approval.needs, approval.count)}.`);
  const isKept = stops || (holder !== undefined && approval !== undefined);
  const waits =
    approval !== undefined ? 'would wait for approval' : holder !== undefined ? 'would wait in line' : undefined;
  const next = isKept ? 'would not begin now' : (waits ?? 'would begin');
  return card({
    title: `Dry run: ${service} ${version} to ${environment} ${next}`,
    tone: isKept ? 'warning' : 'neutral',
    text: lines.join('\n\n'),
    footer: 'Nothing was done',
  });
}

/** What an approver reads below the command. */
export function approvalDetails(preview: Preview, override: string | undefined, now: Date): string {
  const { checks } = preview;
  const lines = [`${plain(preview.service)} in ${plain(preview.environment)}: ${changeText(preview)}`];
  if (preview.commits !== undefined) lines.push(commitLines(preview.commits, now));
  if (checks.length > 0) lines.push(ruleLines(checks));
  if (override !== undefined && checks.some(({ ok }) => !ok)) lines.push(`Overridden: ${plain(override)}`);
  return lines.join('\n\n');
}

/** Tells the room that rules were set aside. */
export function overrideCard(
  { id, service, environment, version, by }: Deployment,
  reason: string,
  broken: readonly RuleCheck[],
): Card {
  return card({
    title: `${by.name} overrides the rules of ${environment}`,
    tone: 'warning',
    text: `${plain(service)} ${plain(version)}: ${plain(reason)}\n\n${ruleLines(broken)}`,
    footer: `Deployment ${id}`,
  });
}

/** The answer to `diff`: what runs in two environments. */
export function differenceCard(service: string, one: Placement, other: Placement, now: Date): Card {
  const [here, there] = [one.live, other.live];
  const isKnown = here.kind !== 'unclear' && there.kind !== 'unclear';
  const isSame =
    here.kind === 'live' ? there.kind === 'live' && here.version === there.version : here.kind === there.kind;
  const [from, to] = [one.environment, other.environment];
  return card({
    title: `${service} in ${from} and ${to}: ${isKnown ? (isSame ? 'the same' : 'not the same') : 'not known'}`,
    tone: isKnown && isSame ? 'good' : 'neutral',
    text: [one, other].map(({ environment, live }) => `- ${plain(environment)}: ${liveText(live, now)}`).join('\n'),
    actions:
      isKnown && !isSame && here.kind === 'live'
        ? [{ label: `Promote to ${to}`, command: `promote ${service} from ${from} to ${to}` }]
        : [],
  });
}
