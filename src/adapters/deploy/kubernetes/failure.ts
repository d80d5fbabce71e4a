/** What went wrong with a call to the API server, and what to do, in words. */

import { oneLine } from '../../one-line.ts';
import { parseApiError, parseStatus } from './schema.ts';

/**
 * `expired`: 410, what a watch or a page of a list was to go on from is no longer kept. `busy`: 429 or 503, try again later. `gone`: no answer came. Both pass by themselves; so may `server`, the other 5xx.
 */
type FailureKind =
  | 'configuration'
  | 'credentials'
  | 'forbidden'
  | 'missing'
  | 'conflict'
  | 'expired'
  | 'invalid'
  | 'busy'
  | 'server'
  | 'gone';

/** A call that failed; the message is a clause for people. */
export class ApiFailure extends Error {
  readonly kind: FailureKind;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | undefined;
  constructor(
    kind: FailureKind,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.name = 'ApiFailure';
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}

const ADVICE: Partial<Record<FailureKind, string>> = {
  busy: 'try again when it has less to do',
  server: 'its own log says why; try again when that is mended',
  gone: 'see whether it runs, and can be reached from the robot’s machine',
  conflict: 'see what else changes it (a pipeline, an operator), then try again',
};

/** What happened and, where the message does not say so itself, what to do. */
export function failureText({ kind, message }: ApiFailure): string {
  const advice = ADVICE[kind];
  return advice === undefined ? message : `${message}; ${advice}`;
}

/** It may be otherwise in a moment. */
export function passes(error: unknown): error is ApiFailure {
  return error instanceof ApiFailure && (error.kind === 'busy' || error.kind === 'server' || error.kind === 'gone');
}

/** See https://kubernetes.io/docs/reference/using-api/api-concepts/ and the RBAC authorizer's message. */
const RBAC =
  /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]+)" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]*)")?/;

/**
 * @param server how people call it: `the API server of context production`
 */
export function failureOf(error: unknown, server: string): ApiFailure {
  if (error instanceof ApiFailure) return error;
  const answered = parseApiError(error);
  if (answered === undefined) {
    const code = causeOf(error);
    return new ApiFailure('gone', `${server} does not answer (${code})${certificate(code)}`, { cause: error });
  }
  const { code } = answered;
  const { message, details } = parseStatus(answered.body);
  const said = message === '' ? `HTTP ${code}` : brief(message);
  const asked = Number(answered.headers?.['retry-after']);
  const retryAfterMs = Number.isFinite(asked) && asked >= 0 ? asked * 1000 : secondsOf(details?.retryAfterSeconds);
  const options = { cause: error, retryAfterMs };
  if (code === 401) {
    return new ApiFailure(
      'credentials',
      `${server} does not accept the robot’s credentials (401); renew the token or certificate in its kubeconfig`,
      options,
    );
  }
  if (code === 403) return new ApiFailure('forbidden', forbidden(message, server), options);
  if (code === 404) return new ApiFailure('missing', `${server} says: ${said}`, options);
  if (code === 409) return new ApiFailure('conflict', `somebody else keeps changing the same thing: ${said}`, options);
  if (code === 410)
    return new ApiFailure('expired', `${server} no longer knows what it was asked to go on from`, options);
  if (code === 429 || code === 503) return new ApiFailure('busy', `${server} is too busy (${code})`, options);
  if (code >= 500) return new ApiFailure('server', `${server} failed (${code}): ${said}`, options);
  return new ApiFailure('invalid', `${server} refused it (${code}): ${said}`, options);
}

/** Names the verb that a Role lacks; other refusals (quota, admission) in the server's own words. */
function forbidden(message: string, server: string): string {
  const found = RBAC.exec(message)?.groups;
  if (!found) return `${server} refused it (403): ${brief(message)}`;
  const { user = '', verb = '', resource = '', group = '', namespace } = found;
  const where = namespace === undefined ? 'in the cluster' : `in the namespace ${namespace}`;
  return `${user} may not ${verb} ${resource} ${where}; its Role lacks the verb ${verb} on ${resource}${group === '' ? '' : ` (API group ${group})`}, see docs/guide/targets/kubernetes.md`;
}

function secondsOf(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

/** The innermost code or message: `ECONNREFUSED`. */
function causeOf(error: unknown): string {
  let found = 'no reason given';
  for (let one = error; one instanceof Error; one = one.cause) {
    found =
      'code' in one && typeof one.code === 'string'
        ? one.code
        : one.name === 'TimeoutError'
          ? 'no answer in time'
          : one.message;
  }
  return brief(found);
}

function certificate(code: string): string {
  return /CERT|SELF_SIGNED|ISSUER/.test(code) ? '; its certificate does not fit the authority in the kubeconfig' : '';
}

/** One line of it. */
export function brief(text: string, most = 300): string {
  return oneLine(text, most);
}
