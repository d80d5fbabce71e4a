/** Whether a container is healthy: by the engine's own check, by a probe of the robot, or by staying up. */

import { connect } from 'node:net';
import type { DockerPlace } from '../../../domain/deploy/targets/docker.ts';
import type { Container } from './schema.ts';
import { fillIn, hostOf, parsePort } from './settings.ts';

export type Judgement =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'waiting'; readonly text: string }
  /** The robot has to probe. */
  | { readonly kind: 'probe' }
  /** It will not become healthy. `text` goes on after “the new container”. */
  | { readonly kind: 'bad'; readonly text: string };

/**
 * Judges by what the engine says.
 *
 * @param upMs how long it was seen running without a break
 */
export function judge(container: Container | undefined, health: DockerPlace['health'], upMs: number): Judgement {
  if (container === undefined) return { kind: 'bad', text: 'was removed by somebody' };
  const { status, exitCode, outOfMemory, error, restarts, running } = container;
  if (outOfMemory) return { kind: 'bad', text: `ran out of memory and was ended (exit code ${exitCode})` };
  const ended = status === 'exited' || status === 'dead' || status === 'stopped';
  if (restarts > 0 || status === 'restarting') {
    // The code of its end is there again when it has ended the next time.
    if (running && exitCode === 0) return { kind: 'waiting', text: 'it ends again and again' };
    return { kind: 'bad', text: `ends again and again with exit code ${exitCode}` };
  }
  if (ended) return { kind: 'bad', text: `ended with exit code ${exitCode}${error === '' ? '' : ` (${error})`}` };
  if (!running) return { kind: 'waiting', text: `it is ${status}` };
  if (health.probe) return { kind: 'probe' };
  if (container.health) {
    const said = container.health.said.trim().replace(/\s+/g, ' ').slice(0, 200);
    if (container.health.status === 'healthy') return { kind: 'healthy' };
    if (container.health.status === 'unhealthy')
      return { kind: 'bad', text: `is unhealthy${said === '' ? '' : `: ${said}`}` };
    return { kind: 'waiting', text: 'its HEALTHCHECK has not passed yet' };
  }
  return upMs >= health.stableMs ? { kind: 'healthy' } : { kind: 'waiting', text: 'it has not been up for long' };
}

/**
 * Where the probe goes.
 *
 * @param trial ports are those that the engine chose, or the trial port
 */
export function probeAddress(place: DockerPlace, container: Container, trial: boolean): string {
  const [first] = place.ports.map(parsePort);
  const published = first === undefined ? undefined : container.ports.get(first.inside);
  const own = trial ? (place.trialPort ?? place.port) : place.port;
  return fillIn(place.health.probe?.to ?? '', {
    host: hostOf(place.engine),
    port: published ?? own ?? first?.outside,
    address: container.address,
  });
}

/** Undefined if it passed; why not, as a clause, if not. */
export async function probe(
  kind: 'http' | 'tcp',
  to: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  return kind === 'http' ? await probeHttp(to, timeoutMs, signal) : await probeTcp(to, timeoutMs);
}

async function probeHttp(to: string, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await fetch(to, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await answer.body?.cancel();
    return answer.status >= 200 && answer.status < 400 ? undefined : `${to} answers ${answer.status}`;
  } catch {
    return `${to} does not answer`;
  }
}

async function probeTcp(to: string, timeoutMs: number): Promise<string | undefined> {
  const split = to.lastIndexOf(':');
  const host = to.slice(0, split).replace(/^\[|\]$/g, '');
  return await new Promise((resolve) => {
    const socket = connect({ host, port: Number(to.slice(split + 1)) });
    const end = (answer: string | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => end(`${to} does not answer`));
    socket.once('connect', () => end(undefined));
    socket.once('error', () => end(`${to} takes no connections`));
  });
}
