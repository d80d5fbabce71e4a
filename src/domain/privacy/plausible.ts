/** Could this value be a real secret, or is it a name, a variable, an example, prose? */

/** Shannon entropy in bits per character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const REFERENCE = /^[$%@]|\$[{(A-Za-z_]|\{\{|^\{[^}\d]*\}?$|^<|>$|^\[|%\w+%|^`|^!!?\w/;
const EXAMPLE =
  /x{4,}|\*{3,}|\.{3}|…|#{4,}|_{4,}|-{4,}|redacted|example(?![a-z0-9])|^your|[-_ ]your[-_ ]|your[-_]?(?:api|token|secret|pass|key)|placeholder|change[-_ ]?me|change[-_ ]?this|replace[-_ ]?(?:me|this|with)|insert[-_ ]|to[-_]?do\b|dummy|foobar|lorem|goes[-_]here|here$|^my[-_]|(?:my|some|the)[-_ ]?(?:secret|token|password|key)/i;
const RUNS = /(.)\1{5,}|0123456789|abcdefghij/i;
const CODE = /^[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*)*(?:[([{]|$)/;
const DIGEST = /^(?:sha\d+|md5):[0-9a-f]{16,}/i;
const HOST =
  /^(?:[a-z0-9-]{1,63}\.){1,8}(?:com|net|org|io|dev|local|internal|svc|cluster|app|cloud|[a-z]{2})(?::\d{1,5})?$/;
const PLAIN_WORDS = new Set(
  `password passwd passwort pass pwd secret token apikey key user username string str text bool boolean true false null nil none
  undefined number int integer any object required optional missing invalid incorrect wrong expired empty unset unknown reset
  changed rotated hidden masked admin root test testing default value sensitive not the is was has and for with from that this
  to in on of at by or a an be it set get new old use via see please must can may should cannot failed ok yes no error
  enabled disabled basic bearer digest oauth oauth2 jwt`.split(/\s+/),
);

/** What stands where a secret would stand without being one: a variable, an example, a mark of redaction, an ordinary word. */
export function isPlaceholder(value: string): boolean {
  return (
    REFERENCE.test(value) ||
    EXAMPLE.test(value) ||
    DIGEST.test(value) ||
    PLAIN_WORDS.has(value.toLowerCase().replace(/[^a-z0-9]+$/, '')) ||
    new Set(value).size <= Math.min(3, value.length / 3)
  );
}

/** For text of a vendor's form: random enough, and no example. */
export function isRandom(value: string, bits = 3): boolean {
  const kinds = new Set(value.toLowerCase()).size;
  return (
    kinds > 5 &&
    entropy(value) >= bits &&
    (value.length > 100 || !RUNS.test(value)) &&
    !/x{5,}|\*{3,}|\.{3}|EXAMPLE$/i.test(value)
  );
}

/** A value of something called password. `strict`: it stands in running text, where an ordinary word may follow. */
export function isPassword(value: string, strict: boolean): boolean {
  if (value.length < 3 || value.length > 512 || isPlaceholder(value)) return false;
  if (/^\d{1,3}$/.test(value)) return false;
  if (strict) return value.length >= 5 && /\d|[^\w.,:;!?'"()-]|[a-z][A-Z]/.test(value) && !/[([]$|^\(/.test(value);
  return !isCode(value);
}

/** A value of something called token, secret or key. */
export function isToken(value: string, quoted: boolean): boolean {
  if (value.length < 8 || value.length > 8192 || isPlaceholder(value) || isName(value)) return false;
  if (!quoted && isCode(value) && !hasDigitsInside(value)) return false;
  if (!quoted && /[(){}]/.test(value)) return false;
  if (/^[/~.]{0,2}\/|^[a-z]+:\/\//i.test(value) || HOST.test(value)) return false;
  if (/\s/.test(value)) return false;
  return entropy(value) >= (/\d/.test(value) ? 2.75 : value.length >= 16 ? 3.6 : 9);
}

/** Words joined by marks, as names of things are: `db-credentials-v2`, `payments.internal`, `app/config.yaml`. */
function isName(value: string): boolean {
  if (!/^[A-Za-z0-9]+(?:[-_./:][A-Za-z0-9]+)*$/.test(value)) return false;
  return value
    .split(/[-_./:]/)
    .every((part) => /^(?:[A-Z]?[a-z]+|[A-Z]+|v?\d{1,4}|[a-z]+\d{1,2})$/.test(part) && part.length < 16);
}

function isCode(value: string): boolean {
  return CODE.test(value) && /[.([{]|->|::|^[a-z]+(?:[A-Z][a-z]+)+$/.test(value) && !/\d{2}/.test(value);
}

function hasDigitsInside(value: string): boolean {
  return /\d/.test(value) && !/[([{]/.test(value);
}
