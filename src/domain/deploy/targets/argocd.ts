/** The target `argocd`, as plain data. See docs/guide/targets/argocd.md. */

/** What of an application the version is. */
export type ArgoSet =
  | { readonly kind: 'revision' }
  | { readonly kind: 'helm'; readonly parameter: string }
  | { readonly kind: 'kustomize'; readonly image: string };

export interface ArgoTargetConfig {
  readonly kind: 'argocd';
  /** Without a slash at the end. */
  readonly url: string;
  /** Name of the application; `{service}` and `{environment}` are filled in. */
  readonly application: string;
  /** Project of the application; the server then says 404 for one that is not there. */
  readonly project?: string;
  /** Namespace of the application, where it is not the one of Argo CD. */
  readonly namespace?: string;
  /** Name of the variable with the token. */
  readonly tokenFrom: string;
  readonly set: ArgoSet;
  /** Which of several sources, from 1; undefined for an application with one. */
  readonly source?: number;
  readonly prune: boolean;
  readonly timeoutMs: number;
}
