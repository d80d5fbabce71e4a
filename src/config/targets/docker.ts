/** A target that runs a container on the Engine API of a Docker host. */

import { z } from 'zod';
import type { DockerPlace, DockerTargetConfig } from '../../domain/deploy/targets/docker.ts';
import { duration, strict, variable } from '../fields.ts';

const port = z.number().int().min(1).max(65_535);

const engine = z.string().regex(/^(?:unix:\/\/\/\S+|tcp:\/\/[A-Za-z0-9.-]+:\d{1,5})$/, {
  error: 'an engine looks like unix:///var/run/docker.sock or tcp://host:2376',
});

const probe = /^(?:[A-Za-z0-9.-]+|\{host\}|\{address\}):(?:\d{1,5}|\{port\})$/;

const health = strict({
  http: z
    .string()
    .regex(/^https?:\/\/\S+$/, 'an address begins with http:// or https://')
    .optional()
    .describe('Asked by the robot; an answer of 200 to 399 is healthy. `{host}`, `{port}`, `{address}` are filled in'),
  tcp: z
    .string()
    .regex(probe, 'an address looks like {host}:{port}')
    .optional()
    .describe('Connected to by the robot: `{host}:{port}`'),
  every: duration.default(1_000).describe('How often it is looked at'),
  within: duration.default(60_000).describe('How long it may take; one minute unless said otherwise'),
  stable: duration.default(3_000).describe('Without any check: how long the container must stay up'),
}).refine(({ http, tcp }) => http === undefined || tcp === undefined, 'give http or tcp, not both');

const settings = {
  engine: engine.describe('`unix:///var/run/docker.sock`, which is the default, or `tcp://host:port`'),
  tls: strict({
    ca: z.string().min(1).describe('Path of the certificate that signed the engine’s'),
    cert: z.string().min(1).describe('Path of the robot’s certificate'),
    key: z.string().min(1).describe('Path of its key'),
  }).describe('With tcp: speak TLS, with these PEM files'),
  image: z
    .string()
    .regex(/^[^\s{}]+[:@]\{version\}[^\s{}]*$/, 'an image looks like registry.example.com/web:{version}')
    .describe('Image, with `{version}` for its tag'),
  pull: z.enum(['missing', 'always', 'never']).describe('When the image is pulled; `missing` unless said otherwise'),
  registry: strict({
    user: z.string().min(1).describe('User of the registry'),
    password_from: variable.describe('Variable of the robot that holds the password or token'),
  }).describe('Who pulls, if the registry asks'),
  container: z
    .string()
    .regex(/^[A-Za-z0-9{][A-Za-z0-9_.{}-]{0,99}$/, 'a name is made of letters, digits, “_”, “.” and “-”')
    .describe('Name of the container; `{service}-{environment}` unless said otherwise'),
  network: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/, 'the name of a network is expected')
    .describe('`host`, or the name of a network'),
  ports: z
    .array(
      z.string().regex(/^(?:(?:\d{1,3}\.){3}\d{1,3}:)?\d{1,5}:\d{1,5}(?:\/(?:tcp|udp))?$/, 'a port looks like 8080:80'),
    )
    .describe('Published ports: `8080:80`, `127.0.0.1:8080:80`'),
  port: port.describe('In the network `host`: the port that the program listens on; `{port}` stands for it'),
  trial_port: port.describe('In the network `host`: the port that a new container is tried on beside the old one'),
  command: z.array(z.string()).min(1).describe('Program and arguments instead of those of the image'),
  env: z.record(variable, z.string()).describe('Variables of the container'),
  pass: z.array(variable).describe('Variables of the robot that the container gets, too'),
  labels: z.record(z.string().min(1), z.string()).describe('Labels of the container'),
  volumes: z
    .array(z.string().regex(/^[^:\s]+:\/[^:\s]*(?::\w+)?$/, 'a volume looks like /srv/data:/data:ro'))
    .describe('`/srv/data:/data:ro`, or the name of a volume in place of the first path'),
  restart: z
    .enum(['no', 'on-failure', 'unless-stopped'])
    .describe('What the engine does when the program ends; `unless-stopped` unless said otherwise'),
  health: health.describe('How the robot sees that the container is healthy; the image’s HEALTHCHECK unless given'),
  stop: duration.describe('How long a container may take to stop; ten seconds unless said otherwise'),
  keep: z.number().int().min(1).max(20).describe('Stopped containers that are kept; one unless said otherwise'),
  timeout: duration.describe('How long a deploy may take, pulling and an engine that is away included; ten minutes'),
};

const override = strict(settings).partial();

type Given = z.output<typeof override>;

/** See docs/guide/targets/docker.md. */
export const dockerTarget = strict({
  kind: z.literal('docker').describe('Runs a container through the Engine API of Docker or Podman'),
  ...override.shape,
  image: settings.image,
  environments: z
    .record(z.string(), override)
    .default({})
    .describe('Name of an environment → what is different there; a key given here replaces the one above'),
  versions: z.enum(['local']).optional().describe('`local`: the versions there are, are the tags on the engine'),
}).transform(({ kind, environments, versions, ...base }): DockerTargetConfig => {
  const places = Object.entries(environments).map(([name, own]) => [
    name,
    placeOf({ ...base, ...own, image: own.image ?? base.image }),
  ]);
  return {
    kind,
    place: placeOf(base),
    places: Object.fromEntries(places),
    ...(versions === undefined ? {} : { versions }),
  };
});

function placeOf(given: Given & { readonly image: string }): DockerPlace {
  const { tls, registry, network, port: fixed, trial_port: trialPort, command } = given;
  return {
    engine: given.engine ?? 'unix:///var/run/docker.sock',
    ...(tls === undefined ? {} : { tls }),
    image: given.image,
    pull: given.pull ?? 'missing',
    ...(registry === undefined ? {} : { registry: { user: registry.user, passwordFrom: registry.password_from } }),
    container: given.container ?? '{service}-{environment}',
    ...(network === undefined ? {} : { network }),
    ports: given.ports ?? [],
    ...(fixed === undefined ? {} : { port: fixed }),
    ...(trialPort === undefined ? {} : { trialPort }),
    ...(command === undefined ? {} : { command }),
    env: given.env ?? {},
    pass: given.pass ?? [],
    labels: given.labels ?? {},
    volumes: given.volumes ?? [],
    restart: given.restart ?? 'unless-stopped',
    health: healthOf(given.health ?? health.parse({})),
    stopMs: given.stop ?? 10_000,
    keep: given.keep ?? 1,
    timeoutMs: given.timeout ?? 10 * 60_000,
  };
}

function healthOf({ http, tcp, every, within, stable }: z.output<typeof health>): DockerPlace['health'] {
  return {
    ...(http === undefined ? {} : { probe: { kind: 'http', to: http } }),
    ...(tcp === undefined ? {} : { probe: { kind: 'tcp', to: tcp } }),
    everyMs: every,
    withinMs: within,
    stableMs: stable,
  };
}
