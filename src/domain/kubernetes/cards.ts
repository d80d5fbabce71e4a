/** What a cluster says, as cards. */

import { type Action, type Card, card, codeBlock, codeSpan, plain } from '../../bot/card.ts';
import { age } from '../deploy/duration.ts';
import type { EventFact, Place, PodFact, PodLog, WorkloadFact } from './ports.ts';

const PODS = 40;
const EVENTS = 25;
/** More than this does not fit into a message. */
const LOG_LENGTH = 11_000;

export function podsCard({ service, environment }: Place, pods: readonly PodFact[], now: Date): Card {
  const ready = pods.filter((pod) => pod.ready).length;
  if (pods.length === 0) {
    return card({ title: `No pods of ${service} in ${environment}`, tone: 'warning', text: 'Nothing runs there.' });
  }
  const sorted = [...pods].sort((a, b) => Number(a.ready) - Number(b.ready) || a.name.localeCompare(b.name));
  const lines = sorted.slice(0, PODS).map((pod) => `- ${podLine(pod, now)}`);
  if (pods.length > PODS) lines.push(`- and ${pods.length - PODS} more`);
  const worst = sorted.find((pod) => !pod.ready);
  const log: Action = {
    label: worst ? `Log of ${worst.name}` : 'Log',
    command: `kubernetes logs ${service} in ${environment}${worst ? ` --pod ${worst.name}` : ''}`,
  };
  return card({
    title: `${ready} of ${pods.length} pods of ${service} in ${environment} are ready`,
    tone: ready === pods.length ? 'good' : 'warning',
    text: lines.join('\n'),
    actions: [log, { label: 'Events', command: `kubernetes events ${service} in ${environment}` }],
  });
}

function podLine(pod: PodFact, now: Date): string {
  const parts = [`**${plain(pod.version)}**`, plain(pod.state)];
  if (pod.restarts > 0) parts.push(pod.restarts === 1 ? 'restarted once' : `restarted ${pod.restarts} times`);
  if (pod.startedAt) parts.push(`begun ${age(pod.startedAt, now)}`);
  if (pod.node !== undefined) parts.push(`on ${plain(pod.node)}`);
  return `${codeSpan(pod.name)}: ${parts.join(', ')}`;
}

export function podLogCard({ service, environment }: Place, log: PodLog): Card {
  const start = log.text.length <= LOG_LENGTH ? 0 : log.text.indexOf('\n', log.text.length - LOG_LENGTH) + 1;
  const shown = log.text.slice(start);
  return card({
    title: `Log of ${log.pod}, ${log.container}`,
    text: shown.trim() === '' ? 'It has written nothing.' : codeBlock(shown),
    footer: `${service} in ${environment}${start > 0 ? '; the beginning is left out' : ''}`,
  });
}

export function eventsCard({ service, environment }: Place, events: readonly EventFact[], now: Date): Card {
  if (events.length === 0) {
    return card({
      title: `No events of ${service} in ${environment}`,
      text: 'A cluster keeps them for an hour, as a rule.',
    });
  }
  const lines = events.slice(0, EVENTS).map((event) => {
    const when = event.at === undefined ? '' : `${age(event.at, now)}, `;
    const times = event.count > 1 ? ` (${event.count} times)` : '';
    const reason = event.warning ? `**${plain(event.reason)}**` : plain(event.reason);
    return `- ${when}${plain(event.object)}: ${reason}: ${plain(event.message)}${times}`;
  });
  if (events.length > EVENTS) lines.push(`- and ${events.length - EVENTS} before them`);
  return card({
    title: `Events of ${service} in ${environment}, newest first`,
    tone: events.some(({ warning }) => warning) ? 'warning' : 'neutral',
    text: lines.join('\n'),
  });
}

export function describeCard({ service, environment }: Place, workloads: readonly WorkloadFact[]): Card {
  const parts = workloads.map((one) => {
    const last = [
      one.revision === undefined ? '' : `revision ${plain(one.revision)}`,
      one.cause === undefined ? '' : plain(one.cause),
    ].filter(Boolean);
    const lines = [
      `**${plain(one.name)}** in the namespace ${plain(one.namespace)}: ${one.ready} of ${one.wanted} ready; ${plain(one.status)}`,
      `- ${[`strategy ${plain(one.strategy)}`, ...last].join(', ')}`,
      ...one.containers.map(
        ({ name, image, requests, limits, probes }) =>
          `- ${plain(name)}: ${codeSpan(image)}, requests ${plain(requests)}, limits ${plain(limits)}, ${probes.length === 0 ? 'no probes' : `probes: ${plain(probes.join(', '))}`}`,
      ),
      ...one.problems.map((problem) => `- **${plain(problem)}**`),
    ];
    return lines.join('\n');
  });
  const good = workloads.every(({ complete }) => complete);
  return card({
    title: `${service} in ${environment}`,
    tone: good ? 'good' : 'warning',
    text: parts.join('\n\n'),
    actions: [
      { label: 'Pods', command: `kubernetes pods ${service} in ${environment}` },
      { label: 'Events', command: `kubernetes events ${service} in ${environment}` },
    ],
  });
}
