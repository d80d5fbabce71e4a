/** Is a line that looks like no command meant as a sentence or as a command with a slip in it? Pure. */

const ASKS =
  /^(what|whats|what's|how|hows|how's|why|who|whos|who's|when|where|which|is|are|was|were|do|does|did|can|could|should|would|will|has|have|please|i|we|my|our|the|there|it|this|hi|hello|hey|thanks)\b/i;
const SMALL_WORDS =
  /\b(is|are|was|were|the|a|an|i|we|my|our|it|its|this|that|not|keeps?|failed|fails|failing|broken|down|please|again|because|and|but|why|how|what)\b/i;

/** Words of a line that begins like a command but does not fit it: true if they read like plain language. */
export function isSentence(text: string, words: number): boolean {
  if (/\?\s*$/.test(text)) return true;
  if (ASKS.test(text) && words >= 2) return true;
  return words >= 4 && SMALL_WORDS.test(text);
}
