/** Which messages are for the robot, and what of them a command reads. */

export interface Addressed {
  readonly addressed: boolean | 'as its thread';
  /** As Slack sent it, without the mention of the robot. */
  readonly exact: string;
}

/**
 * In a direct conversation every line is for the robot; elsewhere what mentions it. What begins with a mention of somebody else, and
 * does not mention the robot, is for them in every thread. The robot's plain name is for the robot itself to see.
 */
export function addressed(text: string, robotId: string, direct: boolean): Addressed {
  const mention = `<@${robotId}(?:\\|[^<>]*)?>`;
  const leading = new RegExp(`^\\s*(?:${mention}[\\s:,]*)+`).exec(text);
  const rest = text.slice(leading?.[0].length ?? 0);
  const last = [...rest.matchAll(new RegExp(mention, 'g'))].at(-1);
  const isAtTheEnd = last && /^[\s.!?]*$/.test(rest.slice(last.index + last[0].length));
  const exact = isAtTheEnd ? withoutCommas(rest.slice(0, last.index)) : rest;
  if (direct || leading || last) return { addressed: true, exact: exact.trim() };
  const forOthers = /^\s*<(?:@[UW]|!subteam\^|!(?:here|channel|everyone)\b)/.test(text);
  return { addressed: forOthers ? false : 'as its thread', exact: exact.trim() };
}

/** Without those at its end; a pattern would look again from each of them. */
function withoutCommas(text: string): string {
  let end = text.length;
  while (end > 0 && /[\s,]/.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
