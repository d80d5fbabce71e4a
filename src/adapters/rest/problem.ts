/** What went wrong between the robot and a server, in words: what happened, and what to do. */

/** `unsure`: it may have arrived, or not. `unreachable`: it has not arrived. */
export type ProblemKind =
  | 'no_token'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'invalid'
  | 'moved'
  | 'limited'
  | 'refused'
  | 'server'
  | 'unsure'
  | 'unreachable'
  | 'untrusted'
  | 'too_big'
  | 'unreadable'
  | 'stopped';

/** The message is a clause for people: `GitHub did not accept the token (401): …`. */
export class RestProblem extends Error {
  readonly kind: ProblemKind;
  readonly status: number | undefined;
  /** What the server itself said; short, free of control characters, untrusted. */
  readonly said: string;

  constructor(
    kind: ProblemKind,
    message: string,
    more: { readonly status?: number; readonly said?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = 'RestProblem';
    this.kind = kind;
    this.status = more.status;
    this.said = more.said ?? '';
  }
}

/** Whether the server may have done what was asked although no answer came. */
export function mayHaveArrived(error: unknown): boolean {
  return error instanceof RestProblem && (error.kind === 'server' || error.kind === 'unsure');
}

/** Whether asking again later may help: the outside is away or busy, nothing is wrong with what was asked. */
export function isPassing(error: unknown): boolean {
  return mayHaveArrived(error) || (error instanceof RestProblem && ['unreachable', 'limited'].includes(error.kind));
}

/** Whether a body broke off after its beginning was handed on. */
export function wasCut(error: RestProblem): boolean {
  return error.kind === 'refused' && error.status === undefined;
}

/** Of whom and what a sentence speaks. */
export interface Subject {
  /** As people call it: `GitHub`. */
  readonly name: string;
  readonly origin: string;
  /** The variable that holds the token. */
  readonly tokenFrom?: string;
}

/** What to do about a status, where the adapter knows better than this file. */
export type Advice = Readonly<Partial<Record<number, string>>>;

/** An answer with a status of 400 and above. */
export function problemOf(subject: Subject, status: number, said: string, advice: Advice): RestProblem {
  const { name } = subject;
  const quoted = said === '' ? `${status}` : `${status}: ${said}`;
  const make = (kind: ProblemKind, what: string, otherwise: string) =>
    new RestProblem(kind, `${name} ${what} (${quoted}); ${advice[status] ?? otherwise}`, { status, said });
  const token = subject.tokenFrom === undefined ? 'the token' : `the token in ${subject.tokenFrom}`;
  switch (status) {
    case 401:
      return make('unauthorized', `did not accept ${token}`, 'it is wrong or has expired: make a new one');
    case 403:
      return make('forbidden', `does not allow this with ${token}`, 'give it the rights that the guide names');
    case 404:
    case 410:
      return make(
        'not_found',
        'does not know this',
        `check the name in config/services.yaml, and that ${token} may see it`,
      );
    case 409:
      return make('conflict', 'refused because of a conflict', 'look there at what stands against it, then try again');
    case 400:
    case 422:
      return make('invalid', 'did not take the request', 'check the version and the settings in config/services.yaml');
  }
  if (status >= 500) return make('server', 'is in trouble', 'try again later');
  return make('refused', 'refused the request', 'look at the settings in config/services.yaml');
}

/** Too many requests; `waitMs` is how long the server wants to be left alone. */
export function limitedProblem(subject: Subject, status: number, waitMs: number): RestProblem {
  const wait = waitMs < 90_000 ? `${Math.ceil(waitMs / 1_000)} s` : `${Math.ceil(waitMs / 60_000)} min`;
  return new RestProblem(
    'limited',
    `${subject.name} takes no more requests for now (${status}); try again in ${wait}`,
    { status },
  );
}

const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'];

/** A request that got no whole answer, by the code of the error of Node or OpenSSL. */
export function lostProblem(subject: Subject, code: string, cause: unknown): RestProblem {
  const { name, origin } = subject;
  if (NOT_SENT.includes(code)) {
    const text = `${name} cannot be reached at ${origin} (${code}); check the address, and that the robot may go there`;
    return new RestProblem('unreachable', text, { cause });
  }
  if (/CERT|SIGNATURE|ALTNAME|_SSL_|EPROTO/.test(code)) {
    const text = `the certificate of ${origin} is not trusted (${code}); NODE_EXTRA_CA_CERTS names a file of further ones`;
    return new RestProblem('untrusted', text, { cause });
  }
  if (code === 'TIMEOUT') {
    return new RestProblem('unsure', `${name} did not answer in time; try again later`, { cause });
  }
  return new RestProblem('unsure', `the connection to ${name} was cut (${code}); try again later`, { cause });
}
