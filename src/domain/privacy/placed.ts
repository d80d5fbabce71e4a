/** Secrets that tell by where they stand: in addresses, headers, command lines, key blocks, Kubernetes manifests. */

import { entropy, isPassword, isPlaceholder, isRandom, isToken } from './plausible.ts';
import type { Secret } from './redact.ts';

interface Place {
  readonly kind: string;
  /** Case does not count. */
  readonly hint: RegExp;
  /** The secret is the group `secret`. */
  readonly pattern: RegExp;
  readonly accept: (secret: string, whole: string) => boolean;
}

const PLACES: readonly Place[] = [
  {
    kind: 'password in an address',
    hint: /:\/\//,
    pattern: /:\/\/(?<user>[^\s:@/?#"'`<>]{0,128}):(?<secret>[^\s@/"'`<>]{1,256})@(?=[\w[%{$-])/dg,
    accept: (secret) => secret.length >= 2 && !isPlaceholder(secret),
  },
  {
    kind: 'token in an address',
    hint: /:\/\//,
    pattern: /:\/\/(?<secret>[A-Za-z0-9_~.-]{20,256})@(?=[\w[])/dg,
    accept: (secret) => isToken(secret, true),
  },
  {
    kind: 'authorization',
    hint: /authorization/i,
    pattern:
      /authorization\\?["']?[ \t]{0,8}[:=][ \t]{0,8}\\?["']?(?:(?<scheme>[A-Za-z][A-Za-z0-9-]{2,20})[ \t]{1,8})?(?<secret>[^\s"'`\\,;<>]{4,8192})/dgi,
    accept: (secret, whole) =>
      !isPlaceholder(secret) &&
      !/[${}()[\]*]/.test(secret) &&
      (/\d|[=~+/@]/.test(secret) || (/basic|bearer|token|apikey/i.test(whole) && secret.length >= 12)),
  },
  {
    kind: 'bearer token',
    hint: /bearer/i,
    pattern: /\bbearer[ \t]{1,4}(?<secret>[A-Za-z0-9._~+/-]{16,8192}={0,2})/dgi,
    accept: (secret) => isToken(secret, true),
  },
  {
    kind: 'password',
    hint: /curl/i,
    pattern:
      /(?<=curl\b[^\n]{0,400}|\\\r?\n[ \t]{0,40})[ \t](?:-[A-Za-z]{0,3}u|--user|-U|--proxy-user)[ \t=]{0,4}\\?["']?[^\s"':]{0,128}\\?["']?:\\?["']?(?<secret>[^\s"'\\]{1,256})/dg,
    accept: (secret) => isPassword(secret, false) && !/^pass/i.test(secret),
  },
  {
    kind: 'password',
    hint: /curl/i,
    pattern: /(?<=curl\b[^\n]{0,400})[ \t](?:-u|--user)[ \t=]{0,4}["']?(?<secret>[^\s"':]{8,128}):(?=["'\s]|$)/dgm,
    accept: (secret) => isToken(secret, true) || (isPassword(secret, true) && entropy(secret) > 2.8),
  },
  {
    kind: 'password',
    hint: /-p|-a |-w /,
    pattern:
      /\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump|sshpass|docker login|podman login|helm registry login|az login|mongo|mongosh|mongodump|redis-cli|ldapsearch|rabbitmqadmin|oc login|sqlcmd)\b[^\n|;&]{0,300}?[ \t](?:-p[ \t]?|-a[ \t]|-w[ \t]|-P[ \t])["']?(?<secret>[^\s"'-][^\s"']{2,128})/dg,
    accept: (secret) => isPassword(secret, false) && !/^\d{2,5}$/.test(secret),
  },
  {
    kind: 'password',
    hint: /--/,
    pattern:
      /[ \t(["'`](?:--?|—)(?:[a-z]{1,16}[-_]){0,2}(?:password|passwd|pass|pwd|passphrase)(?:[ \t]{1,4}|=)["']?(?<secret>[^\s"'`,;-][^\s"'`]{2,256})/dgi,
    accept: (secret) => isPassword(secret, false),
  },
  {
    kind: 'token',
    hint: /--/,
    pattern:
      /[ \t(["'`](?:--?|—)(?:[a-z]{1,16}[-_]){0,3}(?:token|secret|api-?key|access-?key|secret-?key|private-?key|auth|_?authtoken)(?:[ \t]{1,4}|=)["']?(?<secret>[^\s"'`,;-][^\s"'`]{7,8192})/dgi,
    accept: (secret) => isToken(secret, false),
  },
  {
    kind: 'password',
    hint: /htpasswd|PASS |identified by|net use/i,
    pattern:
      /(?:\bhtpasswd[ \t]{1,4}-[A-Za-z]{0,6}b[A-Za-z]{0,6}[ \t]{1,4}(?:\S{1,128}[ \t]{1,4}){1,2}|\bidentified by[ \t]{1,4}|\bPASS[ \t])["']?(?<secret>[^\s"';]{3,128})/dgi,
    accept: (secret) => isPassword(secret, true) || /\d/.test(secret),
  },
  {
    // How Bundler takes the credentials of a gem server.
    kind: 'password',
    hint: /BUNDLE_/,
    pattern:
      /\bBUNDLE_[A-Z0-9_]{1,100}__[A-Z0-9_]{2,40}[ \t]{0,4}[:=][ \t]{0,4}["']?(?<secret>[^\s"':;]{1,128}:[^\s"':;]{2,128})/dg,
    accept: (secret) => !isPlaceholder(secret),
  },
  {
    kind: 'private key',
    hint: /PRIVATE KEY/,
    pattern:
      /(?<secret>-----BEGIN[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[\s\S]){40,20000}(?:-----END[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)?)/dg,
    accept: (secret) => isRandom(secret.replace(/-----[^-]+-----/g, ''), 3),
  },
];

const MANIFEST = /kind:[ \t]{0,8}["']?Secret["']?\s/;
const MANIFEST_DATA = /^([ \t]{0,20})(?:string)?[dD]ata:[ \t]{0,8}(?:#[^\n]*)?\r?\n/gm;
const MANIFEST_VALUE =
  /^([ \t]{1,40})["']?[\w.-]{1,128}["']?:[ \t]{1,8}(?:[|>][-+]?[ \t]*\r?\n[ \t]{1,40})?["']?([^\s"'#{}<>$][^\s"']{3,8192})/;

export function placedSecrets(text: string): Secret[] {
  const found: Secret[] = [];
  for (const { kind, hint, pattern, accept } of PLACES) {
    if (!hint.test(text)) continue;
    for (const match of text.matchAll(pattern)) {
      const at = match.indices?.groups?.['secret'];
      const secret = match.groups?.['secret'];
      if (at && secret !== undefined && accept(secret, match[0])) found.push({ kind, start: at[0], end: at[1] });
    }
  }
  if (MANIFEST.test(text)) found.push(...manifestSecrets(text));
  return found;
}

/** Values of a Kubernetes Secret: base64 is no protection. */
function manifestSecrets(text: string): Secret[] {
  const found: Secret[] = [];
  for (const data of text.matchAll(MANIFEST_DATA)) {
    const indent = data[1]?.length ?? 0;
    let at = data.index + data[0].length;
    while (at < text.length) {
      const end = text.indexOf('\n', at);
      const next = end < 0 ? text.length : end + 1;
      const line = text.slice(at, Math.min(next + 200, at + 9000));
      const value = MANIFEST_VALUE.exec(line);
      const secret = value?.[2];
      if (value && (value[1]?.length ?? 0) <= indent) break;
      if (!value && !/^\s*(?:#|$)/.test(text.slice(at, next)) && /^\S/.test(line)) break;
      if (value && secret !== undefined && !isPlaceholder(secret)) {
        const start = at + value[0].length - secret.length;
        found.push({ kind: 'Kubernetes secret', start, end: start + secret.length });
        at = Math.max(next, text.indexOf('\n', start) + 1 || text.length);
      } else at = next;
    }
  }
  return found;
}
