/** The target `jenkins`, as plain data. See docs/guide/targets/jenkins.md. */

export interface JenkinsTargetConfig {
  readonly kind: 'jenkins';
  /** Without a slash at the end. */
  readonly url: string;
  /** Path of the job, folders included: `platform/deploy-web`. */
  readonly job: string;
  readonly user: string;
  /** Name of the variable with the API token, or the password. */
  readonly tokenFrom: string;
  /** Parameter → value; `{service}`, `{environment}`, `{version}` and `{deployment}` are filled in. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}
