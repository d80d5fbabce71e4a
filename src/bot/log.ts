/** What the parts need of a logger; pino gives it. Messages are constant, what varies goes into the fields. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Nothing works until somebody comes; the process goes on. */
  fatal?(fields: object, message: string): void;
}
