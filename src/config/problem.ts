/** What is wrong with the configuration; all problems are reported at once. */

export interface Problem {
  /** File relative to the project, or `environment`. */
  readonly file: string;
  /** 1 for the first line; absent where there is no line. */
  readonly line?: number;
  /** The variable or the path of the YAML key. */
  readonly key: string;
  /** What is wrong and what would be right. */
  readonly message: string;
}

/** One problem a line: `config/services.yaml:12: services.hello.timeout: …`. */
export function problemText({ file, line, key, message }: Problem): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${key === '' ? '' : `${key}: `}${message}`;
}
