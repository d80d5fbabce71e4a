/** Is a line that looks like no command meant as a sentence or as a command with a slip in it? Pure. */

import { looksLike } from './spelling.ts';

const ASKS =
  /^(what|whats|what's|how|hows|how's|why|who|whos|who's|when|where|which|is|are|was|were|do|does|did|can|could|should|would|will|has|have|please|i|we|my|our|the|there|it|this|hi|hello|hey|thanks)\b/i;
const SMALL_WORDS =
  /(?:^|\s)(the|a|an|i|we|my|our|it|its|this|that|please|again|because|and|but|why|how|what|when)(?=[\s.,;!?]|$)/i;
/** Words that say how something is or does, and that nothing is called: three words with one of them are a sentence, */
const SAYS =
  /^(is|are|was|were|be|been|not|never|always|still|keeps?|kept|has|have|had|does|did|will|cannot|\w+n['’]t|cant|wont|dont|doesnt|didnt|isnt|arent|down|slow|gone|dead|missing)[.,;!?]*$/i;
/** and two with one of these: "deploy failed". */
const TROUBLE =
  /^(fail(s|ed|ing)?|broken?|breaks?|stuck|hangs?|hanging|hung|crash(es|ed|ing)?|flap(s|ping)|looping)[.,;!?]*$/i;

/** A value that an argument of the line does not take. */
export interface WrongValue {
  readonly typed: string;
  /** What the argument does take, as far as there is a list. */
  readonly allowed: readonly string[];
  readonly optional: boolean;
}

/** Words of a line that begins like a command but does not fit it: true if they read like plain language. */
export function isSentence(text: string, wrong?: WrongValue): boolean {
  const words = text.trim().split(/\s+/);
  if (wrong) {
    if (isMisspelt(wrong)) return false;
    // What must be given was given, only wrongly; but nothing is called "keeps".
    if (!wrong.optional) return wrong.allowed.length > 0 && words.length >= 3 && says(wrong.typed);
  }
  if (/\?\s*$/.test(text)) return true;
  if (ASKS.test(text) && words.length >= 2) return true;
  if (words.slice(1).some((word) => (words.length >= 3 ? says(word) : TROUBLE.test(word)))) return true;
  return words.length >= 4 && SMALL_WORDS.test(text);
}

/**
 * It may be either: words that the command has no place for, an optional value that is like none there is, or a word that
 * commands do not have. Whoever is told what is wrong with the line is offered an answer to it besides.
 */
export function mayBeSentence(text: string, misfit: 'missing' | 'excess' | WrongValue): boolean {
  const words = text.trim().split(/\s+/);
  if (words.length < 2) return false;
  if (typeof misfit === 'object' && isMisspelt(misfit)) return false;
  if (words.slice(1).some(says) || SMALL_WORDS.test(text)) return true;
  return misfit === 'excess' || (typeof misfit === 'object' && misfit.optional && words.length >= 3);
}

function says(word: string): boolean {
  return SAYS.test(word) || TROUBLE.test(word);
}

/** Letters differ, or it is the beginning of a longer name: "prod". */
function isMisspelt({ typed, allowed }: WrongValue): boolean {
  const bare = typed.toLowerCase().replace(/[.,;!?]+$/, '');
  return allowed.some((each) => {
    const known = each.toLowerCase();
    return looksLike(bare, known) || (bare.length >= 3 && known.startsWith(bare));
  });
}

const QUESTION =
  /^(?:(?:and|but|so|ok|okay|hm+|also)[\s,]+)*(?:what|whats|what's|how|hows|how's|why|who|whos|who's|when|where|which|is|are|was|were|do|does|did|can|could|should|would|will|has|have|please|show|tell|explain|any)\b/i;
const REMARK =
  /^(?:thanks?|thank you|thx|ty|cheers|great|nice|ok|okay|k|cool|perfect|done|yes|yep|yeah|no|nope|lol|good|wow|sure|right|got it|will do|on it|looking)(?: \w+){0,2}$/i;

/**
 * In a thread that began with a line for the robot, not everything is for it: an emoji or a thank-you is for nobody in particular,
 * and what somebody else says there is for whoever began it, unless it asks something.
 */
export function wantsAnswer(text: string, where: 'own thread' | "another's thread"): boolean {
  const words = text
    .replace(/:[\w+-]+:/g, ' ')
    .replace(/[^\p{L}\p{N}?'’ ]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (!/\p{L}|\?/u.test(words) || REMARK.test(words)) return false;
  return where === 'own thread' || /\?\s*$/.test(words) || QUESTION.test(words);
}
