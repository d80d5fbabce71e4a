/** Whether a text is meant for the robot, and what is left of it without the robot's name. */

/** What the robot is called. */
export interface RobotNames {
  readonly name: string;
  readonly alias: string | false;
}

/**
 * The text without the robot's name or alias, trimmed; undefined if it does not begin with one. `name`, `@name`,
 * `name:` and `name,` count, in any case, and only as a whole word: "shipmates are great" is for nobody. An alias that
 * ends in a sign (`!`, `/`) needs no space after it. A pasted command may sit in backticks.
 */
export function withoutName(text: string, names: RobotNames): string | undefined {
  const bare = withoutBackticks(text);
  return pattern(names).exec(bare)?.groups?.['rest']?.trim();
}

/** `/deploys` as `deploys`: what is for the robot may begin with a slash, as in other chats, if the word is one of a command. */
export function withoutSlash(text: string, isCommandWord: (word: string) => boolean): string {
  const word = /^\/([\w-]+)(?=\s|$)/.exec(text)?.[1];
  return word !== undefined && isCommandWord(word) ? text.slice(1) : text;
}

function withoutBackticks(text: string): string {
  return /^\s*(?<fence>`{1,3})(?<inside>[^`]+)\k<fence>\s*$/.exec(text)?.groups?.['inside'] ?? text;
}

const patterns = new Map<string, RegExp>();

function pattern({ name, alias }: RobotNames): RegExp {
  const key = `${name}\n${alias || ''}`;
  const known = patterns.get(key);
  if (known) return known;
  const spoken = [name, ...(alias ? [alias] : [])]
    .sort((a, b) => b.length - a.length)
    .map((word) => escape(word) + (/[\p{L}\p{N}_]$/u.test(word) ? '(?:[:,]|(?=\\s)|$)' : '[:,]?'));
  const made = new RegExp(`^\\s*@?(?:${spoken.join('|')})(?<rest>[\\s\\S]*)$`, 'iu');
  patterns.set(key, made);
  return made;
}

function escape(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
