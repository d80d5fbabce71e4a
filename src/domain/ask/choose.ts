/** Which passages of a file are shown or sent to a model. */

import type { Passage } from './chunk.ts';
import type { Found } from './index.ts';
import { indexTermsOf, termsOf } from './terms.ts';

/** Words of "what do I do when X fires", which say nothing about the section that is meant. */
const FRAME = new Set(
  termsOf(
    'alert alerts fire fires firing trigger triggers triggered happen happens page pages paged start see runbook handle go going wrong help now first',
  ).map(({ term }) => term),
);

/** Headings under which runbooks say what to do. */
const ACTION =
  /\b(?:first|steps?|what to do|actions?|mitigat\w*|diagnos\w*|fix\w*|respon\w*|remed\w*|resol\w*|triage|checks?|procedure|recover\w*|playbook|investigat\w*|find)\b/i;

function rest(question: string, passages: readonly Passage[]): Set<string> {
  const title = new Set(indexTermsOf(passages[0] ? `${passages[0].title} ${passages[0].path}` : ''));
  return new Set(
    termsOf(question)
      .filter(({ term, compound }) => !compound && !title.has(term) && !FRAME.has(term))
      .map(({ term }) => term),
  );
}

/**
 * The passages of the best file to show as the answer, together about `limit` characters at most. Where the question names the
 * file, or fits only how it begins, and asks nothing more special ("what do I do when X fires?"): the sections that say what to
 * do. Else the best passage.
 */
export function toShow(question: string, found: Found, passages: readonly Passage[], limit: number): Passage[] {
  // The start of a file only introduces it, so it is no answer by itself.
  if (!found.named && found.passage.heading.length > 0) return [found.passage];
  const asked = rest(question, passages);
  const specific = passages
    .map((passage) => {
      const heading = new Set(indexTermsOf(passage.heading.join(' ')));
      const terms = new Set(indexTermsOf(passage.text));
      return {
        passage,
        hits: [...asked].reduce((sum, term) => sum + (heading.has(term) ? 2 : 0) + (terms.has(term) ? 1 : 0), 0),
      };
    })
    .filter(({ hits }) => hits > 0)
    .sort((a, b) => b.hits - a.hits);
  const [best] = specific;
  if (best && best.passage.heading.length > 0) return [best.passage];
  const actions = passages.filter((passage) => ACTION.test(passage.heading.join(' ')));
  const chosen = actions.length > 0 ? actions : passages;
  const shown: Passage[] = [];
  let size = 0;
  for (const passage of chosen) {
    if (shown.length > 0 && size + passage.text.length > limit) break;
    shown.push(passage);
    size += passage.text.length;
  }
  return shown;
}

/** The passages that a model gets: the best file as far as it fits, then the best passages of the others. */
export function toSend(
  found: readonly Found[],
  passagesOf: (path: string) => readonly Passage[],
  limits: { readonly characters: number; readonly passages: number },
): Passage[] {
  const wanted: Passage[] = [];
  for (const [at, file] of found.slice(0, 4).entries()) {
    if (at === 0 || file.named) {
      const whole = passagesOf(file.passage.path);
      const size = whole.reduce((sum, passage) => sum + passage.text.length, 0);
      // The best passages come first into the budget; they are put into reading order below.
      if (size <= limits.characters / 2) wanted.push(...whole);
      else wanted.push(file.passage, ...file.more, ...whole);
    } else wanted.push(file.passage);
  }
  const chosen = new Set<Passage>();
  let size = 0;
  for (const passage of wanted) {
    if (chosen.size >= limits.passages) break;
    if (chosen.has(passage) || size + passage.text.length > limits.characters) continue;
    chosen.add(passage);
    size += passage.text.length;
  }
  const order = new Map(found.map((file, at) => [file.passage.path, at]));
  return [...chosen].sort((a, b) => (order.get(a.path) ?? 0) - (order.get(b.path) ?? 0) || a.line - b.line);
}
