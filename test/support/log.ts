/** A log that tests can read. */

import type { Logger } from '../../src/bot/log.ts';

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: object;
}

/** Collects lines; `messages()` gives the texts of warnings and errors, or of all. */
export function collectingLog(): Logger & { readonly lines: Line[]; messages(all?: boolean): string[] } {
  const lines: Line[] = [];
  const at = (level: Line['level']) => (fields: object, message: string) => void lines.push({ level, message, fields });
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    messages: (all = false) =>
      lines.filter(({ level }) => all || level === 'warn' || level === 'error').map(({ message }) => message),
  };
}
