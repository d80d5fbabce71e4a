/** The target `docker` as plain data. `src/config/targets/docker.ts` reads it from `config/services.yaml`. */

/** Paths of PEM files, seen from the folder the robot was started in. */
export interface DockerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface DockerHealth {
  /** `{host}`, `{port}` and `{address}` are filled in. */
  readonly probe?: { readonly kind: 'http' | 'tcp'; readonly to: string };
  readonly everyMs: number;
  /** How long it may take until the container is healthy. */
  readonly withinMs: number;
  /** Without any check: how long the container must stay up. */
  readonly stableMs: number;
}

/** How a service runs in one environment. `{service}`, `{environment}`, `{version}` and `{port}` are filled in. */
export interface DockerPlace {
  /** `unix:///path` or `tcp://host:port`. */
  readonly engine: string;
  readonly tls?: DockerTls;
  readonly image: string;
  readonly pull: 'missing' | 'always' | 'never';
  readonly registry?: { readonly user: string; readonly passwordFrom: string };
  readonly container: string;
  /** `host`, `none`, or the name of a network; the engine's default unless given. */
  readonly network?: string;
  /** `[address:]host:container[/udp]`. */
  readonly ports: readonly string[];
  /** In the network `host`: where the program listens, and where it does while it is tried. */
  readonly port?: number;
  readonly trialPort?: number;
  readonly command?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Names of the robot's own environment variables that the container gets. */
  readonly pass: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly restart: 'no' | 'on-failure' | 'unless-stopped';
  readonly health: DockerHealth;
  readonly stopMs: number;
  /** Stopped containers that are kept, the latest first. */
  readonly keep: number;
  readonly timeoutMs: number;
}

/** Runs one container a service and environment: see `docs/guide/targets/docker.md`. */
export interface DockerTargetConfig {
  readonly kind: 'docker';
  /** Every environment that `places` does not name. */
  readonly place: DockerPlace;
  readonly places: Readonly<Record<string, DockerPlace>>;
  /** `local`: the tags of images on the engine of `place`. */
  readonly versions?: 'local';
}
