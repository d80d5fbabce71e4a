/** The target `webhook`, as plain data. See docs/guide/targets/webhook.md. */

/** Addresses may hold `{service}`, `{environment}`, `{version}`, `{deployment}`; all but `deploy` also `{id}`. */
export interface WebhookTargetConfig {
  readonly kind: 'webhook';
  readonly deploy: string;
  readonly status?: string;
  readonly log?: string;
  readonly cancel?: string;
  readonly current?: string;
  readonly versions?: string;
  /** Name of the variable with the secret that signs. */
  readonly secretFrom: string;
  /** Name of the variable with a bearer token. */
  readonly tokenFrom?: string;
  readonly timeoutMs: number;
}
