/** The target `kubernetes` as plain data. `src/config/targets/kubernetes.ts` reads it from `config/services.yaml`. */

/** A Deployment of a cluster, and the image that a version sets in it; `{version}` stands in images. */
export interface KubernetesWorkload {
  readonly name: string;
  readonly container?: string;
  readonly image?: string;
  /** Container → image, where a version sets several. */
  readonly images?: Readonly<Record<string, string>>;
}

/** Where a service runs in a cluster; `{environment}` and `{service}` may stand in all names but images. */
export interface KubernetesPlace {
  /** Context of the kubeconfig; its current one unless given. */
  readonly context?: string;
  readonly namespace?: string;
  /** The first says which version is live. One named like the service unless given. */
  readonly deployments?: readonly KubernetesWorkload[];
  /** The container named like the Deployment, or the only one, unless given. */
  readonly container?: string;
  readonly image?: string;
}

/** Sets images in a Kubernetes cluster: see `docs/guide/targets/kubernetes.md`. */
export interface KubernetesTargetConfig {
  readonly kind: 'kubernetes';
  /** Path of a kubeconfig. Without one: `KUBECONFIG`, the cluster that the robot runs in, or `~/.kube/config`. */
  readonly kubeconfig?: string;
  /** Everywhere. */
  readonly place: KubernetesPlace;
  /** What is different in an environment. */
  readonly environments: Readonly<Record<string, KubernetesPlace>>;
  readonly timeoutMs: number;
  /** How long a failure that pods seldom get over is looked at before the rollout is undone. */
  readonly patienceMs: number;
}
