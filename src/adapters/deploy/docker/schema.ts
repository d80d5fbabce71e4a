/** What the Engine API answers, parsed once. Source: https://docs.docker.com/reference/api/engine/version/v1.41/ */

import { z } from 'zod';

const labels = z.record(z.string(), z.string()).nullish();

const state = z.object({
  Status: z.string(),
  Running: z.boolean(),
  Restarting: z.boolean().default(false),
  OOMKilled: z.boolean().default(false),
  ExitCode: z.number().int(),
  Error: z.string().default(''),
  StartedAt: z.string().default(''),
  Health: z.object({ Status: z.string(), Log: z.array(z.object({ Output: z.string() })).nullish() }).nullish(),
});

const bindings = z.record(z.string(), z.array(z.object({ HostPort: z.string() })).nullable());

const inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  Created: z.string(),
  RestartCount: z.number().int().default(0),
  State: state,
  Config: z.object({ Image: z.string(), Labels: labels, Tty: z.boolean().default(false) }),
  NetworkSettings: z.object({
    Ports: bindings.nullish(),
    IPAddress: z.string().nullish(),
    Networks: z.record(z.string(), z.object({ IPAddress: z.string().nullish() })).nullish(),
  }),
});

const listed = z.array(
  z.object({
    Id: z.string(),
    Names: z.array(z.string()).default([]),
    Image: z.string(),
    Created: z.number(),
    State: z.string(),
    Status: z.string().default(''),
    Labels: labels,
  }),
);

const images = z.array(z.object({ RepoTags: z.array(z.string()).nullish(), Created: z.number() }));

const pulled = z.object({
  status: z.string().optional(),
  stream: z.string().optional(),
  error: z.string().optional(),
  id: z.string().optional(),
});

const cpu = z.object({
  cpu_usage: z.object({ total_usage: z.number() }),
  system_cpu_usage: z.number().nullish(),
  online_cpus: z.number().nullish(),
});

const stats = z.object({
  cpu_stats: cpu,
  precpu_stats: cpu.partial().nullish(),
  memory_stats: z.object({
    usage: z.number().nullish(),
    limit: z.number().nullish(),
    stats: z.object({ inactive_file: z.number().nullish() }).nullish(),
  }),
  networks: z.record(z.string(), z.object({ rx_bytes: z.number(), tx_bytes: z.number() })).nullish(),
  pids_stats: z.object({ current: z.number().nullish() }).nullish(),
});

const failure = z.object({ statusCode: z.number().optional(), code: z.string().optional(), message: z.string() });

const handle = z.object({
  stage: z.enum(['prepare', 'switch']),
  old: z.string().optional(),
  oldRan: z.boolean(),
  fresh: z.string().optional(),
});

/** What is remembered of a rollout: which container it replaces, and how far it is. */
export type Handle = z.infer<typeof handle>;

export type Stats = z.infer<typeof stats>;

/** A container as it is now. */
export interface Container {
  readonly id: string;
  readonly name: string;
  /** As it was asked for: `localhost/web:v1`. */
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly status: string;
  readonly running: boolean;
  /** How often the engine has started it again. */
  readonly restarts: number;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly error: string;
  readonly startedAt: Date | undefined;
  readonly health: { readonly status: string; readonly said: string } | undefined;
  /** Port of the container, as `80/tcp`, to port of the host. */
  readonly ports: ReadonlyMap<string, number>;
  readonly address: string | undefined;
  readonly tty: boolean;
}

export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly createdAt: Date;
  readonly state: string;
  /** As the engine says it: `Up 3 hours`. */
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
}

export function parseContainer(answer: unknown): Container {
  const { Id, Name, RestartCount, State, Config, NetworkSettings } = inspected.parse(answer);
  const started = new Date(State.StartedAt);
  const health = State.Health;
  const networks = Object.values(NetworkSettings.Networks ?? {});
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    image: Config.Image,
    labels: Config.Labels ?? {},
    status: State.Status,
    running: State.Running && !State.Restarting,
    restarts: RestartCount,
    exitCode: State.ExitCode,
    outOfMemory: State.OOMKilled,
    error: State.Error,
    startedAt: Number.isNaN(started.getTime()) || started.getUTCFullYear() < 1971 ? undefined : started,
    health:
      health && health.Status !== '' && health.Status !== 'none'
        ? { status: health.Status, said: health.Log?.at(-1)?.Output ?? '' }
        : undefined,
    ports: new Map(
      Object.entries(NetworkSettings.Ports ?? {}).flatMap(([port, bound]) => {
        const host = Number(bound?.[0]?.HostPort);
        return host > 0 ? [[port, host] as const] : [];
      }),
    ),
    address: [NetworkSettings.IPAddress, ...networks.map((one) => one.IPAddress)].find((one) => one) ?? undefined,
    tty: Config.Tty,
  };
}

export function parseList(answer: unknown): readonly Listed[] {
  return listed.parse(answer).map((one) => ({
    id: one.Id,
    name: (one.Names[0] ?? one.Id.slice(0, 12)).replace(/^\//, ''),
    image: one.Image,
    createdAt: new Date(one.Created * 1000),
    state: one.State,
    status: one.Status,
    labels: one.Labels ?? {},
  }));
}

export function parseImages(
  answer: unknown,
): readonly { readonly tags: readonly string[]; readonly created: number }[] {
  return images.parse(answer).map(({ RepoTags, Created }) => ({ tags: RepoTags ?? [], created: Created }));
}

/** One line of the stream that `POST /images/create` sends. */
export function parsePulled(line: string): z.infer<typeof pulled> {
  try {
    return pulled.safeParse(JSON.parse(line)).data ?? {};
  } catch {
    return {};
  }
}

export function parseStats(answer: unknown): Stats {
  return stats.parse(answer);
}

/** What dockerode rejects with: a status of the engine, or a code of the network. */
export function parseFailure(error: unknown): z.infer<typeof failure> {
  return failure.safeParse(error).data ?? { message: String(error) };
}

/** Undefined if it is none of ours. */
export function parseHandle(stored: unknown): Handle | undefined {
  return handle.safeParse(stored).data;
}
