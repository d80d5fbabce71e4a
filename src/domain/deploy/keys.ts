/** The messages that a deployment has in rooms, by their keys: the same key updates in place. */

/**
 * Of its card unless one of the others is meant: `call` makes the person look, `outcome` announces its end elsewhere, `watch` is
 * about alerts after it, and `override` about rules that were set aside.
 */
export function messageKey(id: number, which?: 'call' | 'outcome' | 'watch' | 'override'): string {
  return which === undefined ? `deploy:${id}` : `deploy:${id}:${which}`;
}
