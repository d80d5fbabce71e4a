/** What `docker` commands answer. */

import { type Card, card, codeBlock, moment, plain } from '../../bot/card.ts';
import type { DockerContainer, DockerPlaceName, DockerUsage } from './ports.ts';

/** More than this does not fit into a message. */
const LOG_LENGTH = 12_000;

export function containersCard(
  { service, environment }: DockerPlaceName,
  containers: readonly DockerContainer[],
): Card {
  return card({
    title: `Containers of ${service} in ${environment}`,
    text: containers.length === 0 ? 'There is none.' : containers.map((one) => `- ${containerLine(one)}`).join('\n'),
    actions:
      containers.length === 0
        ? []
        : [
            { label: 'Logs', command: `docker logs ${service} ${environment}` },
            { label: 'Stats', command: `docker stats ${service} ${environment}` },
          ],
  });
}

function containerLine({ name, image, version, deployment, state, status, createdAt }: DockerContainer): string {
  const what = version === undefined ? plain(image) : `**${plain(version)}** (${plain(image)})`;
  const by = deployment === undefined ? '' : `, deployment ${deployment}`;
  return `${plain(name)}: ${what}, ${plain(status === '' ? state : status)}, made ${moment(createdAt)}${by}`;
}

/** The end of the log, as much as fits. */
export function dockerLogCard(name: string, lines: readonly string[]): Card {
  let length = 0;
  const fitting = lines
    .toReversed()
    .filter((line) => (length += line.length + 1) <= LOG_LENGTH)
    .toReversed();
  const left = lines.length - fitting.length;
  const parts = [];
  if (left > 0) parts.push(`The last lines; ${left} before them did not fit.`);
  parts.push(fitting.length === 0 ? 'It said nothing.' : codeBlock(fitting.join('\n')));
  return card({ title: `Log of ${name}`, text: parts.join('\n\n') });
}

export function usageCard({ name, cpuPercent, memory, memoryLimit, received, sent, processes }: DockerUsage): Card {
  const limit = memoryLimit === undefined ? '' : ` of ${size(memoryLimit)}`;
  return card({
    title: `${name} just now`,
    fields: [
      { name: 'Processor', value: cpuPercent === undefined ? 'not known' : `${cpuPercent.toFixed(1)} %` },
      { name: 'Memory', value: `${size(memory)}${limit}` },
      { name: 'Network', value: `${size(received)} in, ${size(sent)} out` },
      ...(processes === undefined ? [] : [{ name: 'Processes', value: String(processes) }]),
    ],
  });
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.5 MiB` */
export function size(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(bytes, 1)) / 10)));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}
