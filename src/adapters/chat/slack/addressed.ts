/** Which messages are for the robot, and what of them a command reads. */

export interface Addressed {
  /** Undefined: it depends on the thread that it stands in. */
  readonly addressed: boolean | 'as its thread';
  /** As Slack sent it, without the mention of the robot. */
  readonly exact: string;
}

/**
 * In a direct conversation every line is for the robot; elsewhere what mentions it. What begins with a mention of somebody else is
 * for them. The robot's plain name is for the robot itself to see.
 */
export function addressed(text: string, robotId: string, direct: boolean): Addressed {
  const mention = `<@${robotId}(?:\\|[^<>]*)?>`;
  const leading = new RegExp(`^\\s*(?:${mention}[\\s:,]*)+`).exec(text);
  const rest = text.slice(leading?.[0].length ?? 0);
  const trailing = new RegExp(`[\\s,]*${mention}[\\s.!?]*$`).exec(rest);
  const exact = (trailing ? rest.slice(0, trailing.index) : rest).trim();
  if (direct || leading || trailing || new RegExp(mention).test(rest)) return { addressed: true, exact };
  const forOthers = /^\s*<(?:@[UW]|!subteam\^|!(?:here|channel|everyone)\b)/.test(text);
  return { addressed: forOthers ? false : 'as its thread', exact };
}
