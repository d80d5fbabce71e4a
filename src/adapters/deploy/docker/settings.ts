/** From configuration and request to names, images and the container that is asked for. */

import type { ContainerCreateOptions } from 'dockerode';
import type { DockerPlace, DockerTargetConfig } from '../../../domain/deploy/targets/docker.ts';

/** By these labels containers are found again. */
export const LABELS = {
  service: 'dev.shipmate.service',
  environment: 'dev.shipmate.environment',
  version: 'dev.shipmate.version',
  deployment: 'dev.shipmate.deployment',
  /** `trial`: made to be tried and thrown away. */
  role: 'dev.shipmate.role',
} as const;

export interface Wanted {
  readonly service: string;
  readonly environment: string;
  readonly version: string;
  readonly deployment: number;
}

export function placeOf(config: DockerTargetConfig, environment: string): DockerPlace {
  return config.places[environment] ?? config.place;
}

/** `{version}` and its like; what has no value stays as it is. */
export function fillIn(text: string, values: Readonly<Record<string, string | number | undefined>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function imageOf(place: DockerPlace, wanted: Wanted): string {
  return fillIn(place.image, { ...wanted });
}

/** The version in the name of an image; undefined if it is another image. */
export function versionOf(place: DockerPlace, image: string): string | undefined {
  const [before = '', after = ''] = place.image.split('{version}');
  const shortened = image.replace(/^docker\.io\/(?:library\/)?/, '');
  for (const name of [image, shortened]) {
    const version = name.slice(before.length, name.length - after.length);
    if (name.startsWith(before) && name.endsWith(after) && version !== '' && !version.includes('/')) return version;
  }
  return undefined;
}

/** The container of a service and environment; while it is rolled out, and before, it has further names. */
export function namesOf(place: DockerPlace, { service, environment }: Pick<Wanted, 'service' | 'environment'>) {
  const live = fillIn(place.container, { service, environment });
  return {
    live,
    trial: (deployment: number) => `${live}.trial-${deployment}`,
    fresh: (deployment: number) => `${live}.new-${deployment}`,
    /** @param mark the deployment that made it, or its id */
    previous: (mark: string) => `${live}.previous-${mark}`,
  };
}

/** How a new container is rolled out. */
export type Way =
  /** Old and new run side by side. */
  | 'beside'
  /** A copy is tried on other ports; then the old one makes room for the new one. */
  | 'trial'
  /** The old one makes room for the new one: nothing says where a copy could be tried. */
  | 'swap';

/** Two containers cannot publish one port, nor listen on one in the network `host`. */
export function wayOf(place: DockerPlace): Way {
  if (place.network === 'host') return place.trialPort === undefined ? 'swap' : 'trial';
  return place.ports.length > 0 ? 'trial' : 'beside';
}

export interface SpecOptions {
  readonly place: DockerPlace;
  readonly wanted: Wanted;
  readonly name: string;
  /** On other ports, and not started again when it ends. */
  readonly trial: boolean;
  /** Of the robot: `pass` is taken from it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The body of `POST /containers/create`. */
export function specOf({
  place,
  wanted,
  name,
  trial,
  environment,
}: SpecOptions): ContainerCreateOptions & { name: string } {
  const ports = place.ports.map(parsePort);
  const local = hostOf(place.engine) === '127.0.0.1';
  const values = { ...wanted, port: trial ? (place.trialPort ?? place.port) : place.port };
  const passed = place.pass.flatMap((key) => (environment[key] === undefined ? [] : [`${key}=${environment[key]}`]));
  const set = Object.entries(place.env).map(([key, value]) => `${key}=${fillIn(value, values)}`);
  return {
    name,
    Image: imageOf(place, wanted),
    ...(place.command === undefined ? {} : { Cmd: place.command.map((part) => fillIn(part, values)) }),
    Env: [...passed, ...set],
    Labels: {
      // A proxy that goes by labels must not send anybody to a copy.
      ...(trial ? {} : mapped(place.labels, values)),
      [LABELS.service]: wanted.service,
      [LABELS.environment]: wanted.environment,
      [LABELS.version]: wanted.version,
      [LABELS.deployment]: String(wanted.deployment),
      [LABELS.role]: trial ? 'trial' : 'live',
    },
    ExposedPorts: Object.fromEntries(ports.map(({ inside }) => [inside, {}])),
    HostConfig: {
      ...(place.network === undefined ? {} : { NetworkMode: place.network }),
      Binds: [...place.volumes],
      PortBindings: Object.fromEntries(
        ports.map(({ inside, address, outside }) => [
          inside,
          // An empty port: the engine takes one that is free.
          [{ HostIp: trial && local ? '127.0.0.1' : address, HostPort: trial ? '' : outside }],
        ]),
      ),
      RestartPolicy: { Name: trial ? 'no' : place.restart },
    },
  };
}

function mapped(given: Readonly<Record<string, string>>, values: Parameters<typeof fillIn>[1]): Record<string, string> {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, fillIn(value, values)]));
}

interface Port {
  readonly address: string;
  readonly outside: string;
  /** `80/tcp` */
  readonly inside: string;
}

export function parsePort(text: string): Port {
  const [, address = '', outside = '', inside = '', protocol = 'tcp'] =
    /^(?:([\d.]+):)?(\d+):(\d+)(?:\/(\w+))?$/.exec(text) ?? [];
  return { address, outside, inside: `${inside}/${protocol}` };
}

/** Where the robot reaches what an engine publishes. */
export function hostOf(engine: string): string {
  return engine.startsWith('unix://') ? '127.0.0.1' : new URL(engine).hostname;
}
