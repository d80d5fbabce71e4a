/** What a server said, fit for one line. */

/** Without control characters, on one line, cut at that many characters. */
export function oneLine(text: string, most = 200): string {
  const plain = text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();
  return plain.length > most ? `${plain.slice(0, most)} …` : plain;
}
