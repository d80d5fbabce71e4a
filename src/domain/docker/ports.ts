/** What `docker` commands need of the engines that services run on. Only reading. */

/** A container of one service in one environment. */
export interface DockerContainer {
  readonly name: string;
  readonly image: string;
  /** Undefined if it was not made by a deployment. */
  readonly version?: string;
  readonly deployment?: number;
  /** `running`, `exited` and so on. */
  readonly state: string;
  /** In the engine's words: `Up 3 hours`. */
  readonly status: string;
  readonly createdAt: Date;
}

/** One moment of a container. */
export interface DockerUsage {
  readonly name: string;
  /** 100 is one processor. Undefined if the engine does not say. */
  readonly cpuPercent?: number;
  /** Bytes, without the page cache; so are all below. */
  readonly memory: number;
  readonly memoryLimit?: number;
  readonly received: number;
  readonly sent: number;
  readonly processes?: number;
}

export interface DockerPlaceName {
  readonly service: string;
  readonly environment: string;
}

/**
 * Everything throws `TargetUnclear` of the deploy domain when an engine does not answer, and gives undefined for a place that is not deployed
 * by the target `docker`.
 */
export interface DockerHosts {
  /** Services that run there. */
  services(): readonly string[];
  /** Live, kept and being rolled out; the live one first. */
  containers(place: DockerPlaceName): Promise<readonly DockerContainer[] | undefined>;
  /** The last lines of the live container, or of the latest one if none is; redacted. `nothing` if there is no container. */
  logs(
    place: DockerPlaceName,
    lines: number,
  ): Promise<{ readonly name: string; readonly lines: readonly string[] } | 'nothing' | undefined>;
  /** Of the live container. `nothing` if none runs. */
  stats(place: DockerPlaceName): Promise<DockerUsage | 'nothing' | undefined>;
}
