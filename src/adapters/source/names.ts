/** What a commit looks like: SHA-1, or SHA-256. */
export function isWholeCommit(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}
