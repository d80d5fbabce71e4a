/** A target on GitHub, as plain data. In texts `{service}`, `{environment}`, `{version}` and `{marker}` are filled in. */

export interface GithubTargetConfig {
  readonly kind: 'github';
  /** The root of the REST API. */
  readonly url: string;
  readonly owner: string;
  readonly repository: string;
  /** The variable that holds the token. */
  readonly tokenFrom: string;
  /** The name of the environment on GitHub. */
  readonly environment: string;
  readonly versions: 'releases' | 'tags' | 'any';
  readonly timeoutMs: number;
  readonly how: GithubWorkflow | GithubDeployment;
}

/** Runs a workflow of GitHub Actions. */
export interface GithubWorkflow {
  readonly mode: 'workflow';
  /** Name of its file, or its number. */
  readonly workflow: string;
  readonly ref: string;
  readonly inputs: Readonly<Record<string, string>>;
}

/** Creates a Deployment, which something else carries out and reports of. */
export interface GithubDeployment {
  readonly mode: 'deployment';
  readonly task: string;
  /** All that GitHub knows of, if undefined. */
  readonly requiredContexts?: readonly string[];
}
