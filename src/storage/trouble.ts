/** What is wrong with the database, in a sentence that says what to do; from the errors that its drivers throw. */

export type Trouble =
  | { readonly kind: 'unreachable'; readonly text: string }
  | { readonly kind: 'full'; readonly text: string }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'busy'; readonly text: string };

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'ENOENT',
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08001',
  '08003',
  '08006',
]);

/** Undefined if the error is not about the state of the database: a mistake in a query, a violated rule. */
export function databaseTrouble(error: unknown): Trouble | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('errors' in error && Array.isArray(error.errors)) {
    const inner: unknown = error.errors[0];
    return databaseTrouble(inner);
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const message = 'message' in error && typeof error.message === 'string' ? error.message : '';
  if (code === '53100' || code === 'ENOSPC' || /No space left on device|disk is full/i.test(message)) {
    return {
      kind: 'full',
      text: 'The disk of the database is full: nothing more can be stored. Free some space; nothing needs to be repaired.',
    };
  }
  if (code === '53300' || /timeout exceeded when trying to connect|Query read timeout/.test(message)) {
    return { kind: 'busy', text: 'The database is too busy to answer. Try again in a moment.' };
  }
  if (code === '57014') return { kind: 'busy', text: 'The database took too long to answer. Try again in a moment.' };
  if (UNREACHABLE.has(code) || /Connection terminated|Client has encountered a connection error/.test(message)) {
    return {
      kind: 'unreachable',
      text: 'The database cannot be reached. It is tried again with every command; check that it runs and that DATABASE_URL is right.',
    };
  }
  if (/^(28|3D)/.test(code) || /no pg_hba\.conf entry|SSL|self-signed certificate/i.test(message)) {
    return {
      kind: 'refused',
      text: `The database refused the connection: ${message}. Check user, password and database name in DATABASE_URL; a server that insists on encryption needs ?sslmode=require there, or ?sslmode=no-verify if its certificate cannot be checked; PGSSLMODE=no-verify says the same.`,
    };
  }
  return undefined;
}

/** The database could not be opened. The message is for the operator; the cause is kept. */
export class DatabaseUnavailable extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'DatabaseUnavailable';
  }
}
