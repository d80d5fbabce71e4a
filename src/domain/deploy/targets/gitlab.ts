/** A target on GitLab, as plain data. In texts `{service}`, `{environment}` and `{version}` are filled in. */

export interface GitlabTargetConfig {
  readonly kind: 'gitlab';
  /** Where GitLab is, without `/api/v4`. */
  readonly url: string;
  /** Its path with all groups, or its number. */
  readonly project: string;
  /** The variable that holds the token. */
  readonly tokenFrom: string;
  /** The variable that holds a pipeline trigger token; pipelines are created with the other token if undefined. */
  readonly triggerFrom?: string;
  readonly ref: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly inputs: Readonly<Record<string, string>>;
  /** The name of the environment on GitLab. */
  readonly environment: string;
  readonly versions: 'releases' | 'tags' | 'any';
  readonly timeoutMs: number;
}
