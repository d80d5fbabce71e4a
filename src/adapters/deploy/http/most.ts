/** How much of a log that grows is told. What is kept of it is decided elsewhere (domain/deploy/output.ts). */

/** More than this is not read, but for the end, where the error stands. */
export const MOST_TOLD_BYTES = 64 * 1024 * 1024;
export const END_BYTES = 64 * 1024;
