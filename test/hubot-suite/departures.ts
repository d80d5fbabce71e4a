/** Tests of Hubot's own suite that our robot fails on purpose. */

export interface Departure {
  /** File and full name, as the runner prints it. */
  readonly test: string;
  readonly reason: string;
}

export const departures: readonly Departure[] = [];
