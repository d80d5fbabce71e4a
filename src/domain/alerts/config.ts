/** What config/alerts.yaml says, as the rules need it. */

export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
  /** Whether a value of the label satisfies it; a missing label has the value ''. */
  test(value: string): boolean;
}

interface AlertRoute {
  /** Name of a room: `ops` in the main chat, or `slack:ops`. */
  readonly room: string;
  /** All of them must match. */
  readonly matchers: readonly Matcher[];
  /** Whether later routes are tried as well. */
  readonly continue: boolean;
}

export interface AlertsConfig {
  /** Where alerts go that no route takes. */
  readonly room: string;
  readonly routes: readonly AlertRoute[];
}

/** A regular expression as a test of a whole value. Throws an error that says what is wrong with it. */
export type CompileRegex = (pattern: string) => (value: string) => boolean;

const MATCHER =
  /^\s*(?:(?<label>[A-Za-z_][\w:.-]*)|"(?<quotedLabel>(?:[^"\\]|\\.)+)")\s*(?<operator>=~|!~|!=|=)\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<bare>[^"{},\s]+(?:\s+[^"{},\s]+)*)?)\s*$/;

/** Longest matcher that is read. */
const MATCHER_LIMIT = 1000;

/**
 * Reads one matcher as Alertmanager writes them: `severity="critical"`, `team=~"pay.*"`, `!=`, `!~`. Regular expressions are
 * anchored at both ends.
 * https://prometheus.io/docs/alerting/latest/configuration/#matcher
 *
 * @throws Error with a sentence
 */
export function parseMatcher(text: string, compile: CompileRegex): Matcher {
  if (text.length > MATCHER_LIMIT) throw new Error(`a matcher may have ${MATCHER_LIMIT} characters`);
  const found = MATCHER.exec(text)?.groups;
  const operator = found?.['operator'];
  if (!found || !(operator === '=' || operator === '!=' || operator === '=~' || operator === '!~')) {
    throw new Error('a matcher looks like severity="critical", team=~"pay.*", env!="dev" or env!~"dev|test"');
  }
  const label = found['label'] ?? unquote(found['quotedLabel'] ?? '');
  const value = found['quoted'] === undefined ? (found['bare'] ?? '') : unquote(found['quoted']);
  return { label, operator, value, test: tester(operator, value, compile) };
}

function tester(operator: Matcher['operator'], value: string, compile: CompileRegex): (value: string) => boolean {
  if (operator === '=') return (given) => given === value;
  if (operator === '!=') return (given) => given !== value;
  const matches = compile(value);
  return operator === '=~' ? matches : (given) => !matches(given);
}

/** Alertmanager knows these escapes in quotes; any other backslash stays, as in `\d`. */
function unquote(text: string): string {
  return text.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
