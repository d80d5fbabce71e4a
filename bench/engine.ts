/** The part of the Engine API that a rollout calls, in memory: it measures the robot, not an engine. */

import type { IncomingMessage } from 'node:http';

interface Held {
  id: string;
  name: string;
  image: string;
  labels: Record<string, string>;
  running: boolean;
}

/** Status and body of an answer. */
export type Answered = readonly [status: number, body?: unknown];

/** Source: https://docs.docker.com/reference/api/engine/version/v1.41/ */
export function createMemoryEngine(): (request: IncomingMessage, body: string) => Answered {
  const held: Held[] = [];
  let made = 0;

  const find = (key: string): Held | undefined => held.find(({ id, name }) => id === key || name === key);

  return (request, body) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://engine');
    const path = pathname.replace(/^\/v[\d.]+/, '');
    if (path.startsWith('/images/')) return [200, { Id: 'sha256:0' }];
    if (path === '/containers/json') return [200, held.filter((one) => hasLabels(one, searchParams)).map(listed)];
    if (path === '/containers/create') {
      const { Image, Labels } = JSON.parse(body);
      const id = `${(made += 1)}`.padStart(64, '0');
      held.push({ id, name: searchParams.get('name') ?? id, image: Image, labels: Labels, running: false });
      return [201, { Id: id, Warnings: [] }];
    }
    const [, , key = '', action] = path.split('/');
    const one = find(key);
    if (!one) return [404, { message: `No such container: ${key}` }];
    if (request.method === 'DELETE') held.splice(held.indexOf(one), 1);
    else if (action === 'json') return [200, inspected(one)];
    else if (action === 'start') one.running = true;
    else if (action === 'stop') one.running = false;
    else if (action === 'rename') one.name = searchParams.get('name') ?? one.name;
    else return [404, { message: 'page not found' }];
    return [204];
  };
}

function hasLabels({ labels }: Held, query: URLSearchParams): boolean {
  const { label = [] }: { label?: string[] } = JSON.parse(query.get('filters') ?? '{}');
  return label.every((pair) => {
    const [name = '', value] = pair.split('=');
    return labels[name] === value;
  });
}

function listed({ id, name, image, labels, running }: Held): object {
  const State = running ? 'running' : 'exited';
  return { Id: id, Names: [`/${name}`], Image: image, Created: 1_763_600_000, State, Labels: labels };
}

function inspected({ id, name, image, labels, running }: Held): object {
  return {
    Id: id,
    Name: `/${name}`,
    Created: '2025-11-20T00:00:00Z',
    State: {
      Status: running ? 'running' : 'created',
      Running: running,
      ExitCode: 0,
      StartedAt: '2025-11-20T00:00:00Z',
    },
    Config: { Image: image, Labels: labels },
    NetworkSettings: { Networks: {} },
  };
}
