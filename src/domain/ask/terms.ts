/** Words of a text as the index compares them. */

import { stemmer } from 'stemmer';

/** One word of a text: what it is compared by, and whether it is a compound like `KubePodCrashLooping`. */
export interface Term {
  readonly term: string;
  /** The compound as a whole; its parts follow as terms of their own. */
  readonly compound: boolean;
}

const STOP_WORDS = new Set(
  `a about after again also am an and any are as at be because been before being between both but by can could did do
  does doing during each for from get give had has have having he help her here him his how i if in into is it its
  itself just keep keeps know let ll lot lots may me might must my never of on or other our please re s say see shall she should so still such t tell
  than that the their them then there these they this those through to until us was we were what when where which while
  who whom why will with would you your`.split(/\s+/),
);

/** Abbreviations that operators use for the word itself. */
const LONG_FORMS = new Map(
  Object.entries({
    cert: 'certificate',
    certs: 'certificate',
    conf: 'configuration',
    config: 'configuration',
    configs: 'configuration',
    conns: 'connection',
    db: 'database',
    dbs: 'database',
    env: 'environment',
    fs: 'filesystem',
    k8s: 'kubernetes',
    kube: 'kubernetes',
    mem: 'memory',
    prod: 'production',
    repo: 'repository',
    sha: 'digest',
    tls: 'ssl',
    vol: 'volume',
  }),
);

const WORD = /[\p{L}\p{N}]+(?:[_.'’-]+[\p{L}\p{N}]+)*/gu;

/** `KubePodCrashLooping` → `Kube Pod Crash Looping`; `etcdGRPCSlow` → `etcd GRPC Slow`; `kube-state_metrics` → `kube state metrics`. */
export function splitIdentifier(word: string): string[] {
  return word
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll}{2,})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part !== '');
}

/** Letters and digits only, in lower case: how names are compared that people write as `Disk full`, `disk-full` or `DiskFull`. */
export function nameKey(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

function normal(word: string): string | undefined {
  // "lots of 500s" is about 500.
  const lower = word.toLowerCase().replace(/^(\d{3})s$/, '$1');
  if (STOP_WORDS.has(lower)) return undefined;
  return stemmer(LONG_FORMS.get(lower) ?? lower);
}

/** The terms of a question: stop words out, identifiers split and also whole, everything stemmed, in the order of the text. */
export function termsOf(text: string): Term[] {
  const terms: Term[] = [];
  for (const [word] of text.matchAll(WORD)) {
    const parts = splitIdentifier(word);
    if (parts.length > 1 && /[\p{L}]/u.test(word)) {
      terms.push({ term: stemmer(nameKey(word)), compound: true });
    }
    for (const part of parts) {
      const term = normal(part);
      if (term !== undefined) terms.push({ term, compound: false });
    }
  }
  return terms;
}

/**
 * The terms of a text that is put into the index. Of compounds it also holds neighbouring parts joined, so that
 * `CrashLooping` and `roll-back` are found by people who write `crashlooping` and `rollback`.
 */
export function indexTermsOf(text: string): string[] {
  const terms = termsOf(text).map(({ term }) => term);
  for (const [word] of text.matchAll(WORD)) {
    const parts = splitIdentifier(word);
    if (parts.length < 3) continue;
    for (const [at, part] of parts.entries()) {
      const next = parts[at + 1];
      if (next !== undefined) terms.push(stemmer(nameKey(part + next)));
    }
  }
  return terms;
}
