/** What goes wrong with an engine, in words that say what to do. */

import { parseFailure } from './schema.ts';

/** `away`: the same call may succeed later. */
type TroubleKind = 'away' | 'failed' | 'missing' | 'conflict' | 'refused' | 'closed';

/** The message is a clause: `the Docker engine at … refuses connections; is it running?` */
export class EngineTrouble extends Error {
  readonly kind: TroubleKind;

  constructor(kind: TroubleKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'EngineTrouble';
    this.kind = kind;
  }
}

const CERTIFICATE = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO|ERR_OSSL)/;

/**
 * @param engine as the configuration names it
 * @param overTls it may end a connection because of the robot's certificate, without a word
 */
export function troubleOf(error: unknown, engine: string, overTls: boolean = false): EngineTrouble {
  if (error instanceof EngineTrouble) return error;
  const { statusCode, code, message } = parseFailure(error);
  const said = quoted(message);
  const at = `the Docker engine at ${engine}`;
  if (statusCode !== undefined) {
    if (statusCode === 401 || statusCode === 403)
      return new EngineTrouble(
        'refused',
        `${at} does not allow this (${statusCode}${said}); check \`tls\` and the rights of the robot there`,
        error,
      );
    if (statusCode === 404) return new EngineTrouble('missing', `${at} does not know it (404${said})`, error);
    if (statusCode === 409 || /already in use/.test(message))
      return new EngineTrouble(
        'conflict',
        `${at} says that this is in conflict with something else (409${said})`,
        error,
      );
    if (statusCode === 429 || statusCode === 502 || statusCode === 503 || statusCode === 504)
      return new EngineTrouble('away', `${at} is too busy (${statusCode}${said}); try again later`, error);
    if (statusCode >= 500) return new EngineTrouble('failed', `${at} could not do it (${statusCode}${said})`, error);
    return new EngineTrouble('refused', `${at} refused the request (${statusCode}${said})`, error);
  }
  if (code === 'EACCES')
    return new EngineTrouble(
      'closed',
      `the robot may not use ${engine}; add it to the group that owns the socket`,
      error,
    );
  if (code !== undefined && CERTIFICATE.test(code))
    return new EngineTrouble(
      'closed',
      `${at} and the robot do not accept each other’s certificates (${code}); check \`tls\``,
      error,
    );
  if (code === 'ECONNREFUSED' || code === 'ENOENT')
    return new EngineTrouble('away', `${at} refuses connections; is it running?`, error);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new EngineTrouble('away', `the name in ${engine} is not known; check \`engine\``, error);
  if (
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code === 'ETIMEDOUT' ||
    code === 'EHOSTUNREACH' ||
    code === 'ENETUNREACH'
  )
    return new EngineTrouble(
      'away',
      `${at} does not answer, or cut the connection (${code})${overTls ? '; if that goes on, check that it accepts the certificate of `tls`' : ''}`,
      error,
    );
  return new EngineTrouble(
    'failed',
    `${at} gave no answer that can be understood${said === '' ? '' : ` (${said.slice(2)})`}`,
    error,
  );
}

/** The engine's own words within dockerode's `(HTTP code 404) no such image - words`. */
function quoted(message: string): string {
  const words = message
    .replace(/^\(HTTP code \d+\) [^-]*- /, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);
  return words === '' || words === 'undefined' ? '' : `: ${words}`;
}
