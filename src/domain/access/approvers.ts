/** Who must approve something, as people read it. */

import { codeSpan } from '../../bot/card.ts';

/** `somebody else who holds …`, `2 other people who have the role …`: Markdown. */
export function approversText(
  needs: { readonly permission: string } | { readonly role: string },
  count: number,
): string {
  const who = count === 1 ? 'somebody else' : `${count} other people`;
  const [have, hold] = count === 1 ? ['has', 'holds'] : ['have', 'hold'];
  return 'role' in needs
    ? `${who} who ${have} the role ${codeSpan(needs.role)}`
    : `${who} who ${hold} ${codeSpan(needs.permission)}`;
}
