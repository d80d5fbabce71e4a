/** Certificates for tests, made by OpenSSL: an authority, a stranger, and what the authority signed. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needs } from './missing.ts';

export interface Certificates {
  /** Path of a file: `ca.pem`, `stranger.pem`, and for each name `name.pem` and `name-key.pem`. */
  file(name: string): string;
  read(name: string): Buffer;
  remove(): void;
}

/** Each is for the host `localhost`. Skips the running tests where there is no OpenSSL. */
export function makeCertificates(context: Mocha.Context, names: readonly string[]): Certificates {
  try {
    execFileSync('openssl', ['version']);
  } catch {
    needs(context, 'OpenSSL', 'apt-get install openssl');
  }
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  const openssl = (line: string) => execFileSync('openssl', line.split(' '), { cwd: folder, stdio: 'ignore' });
  const key = '-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1';
  for (const authority of ['ca', 'stranger'])
    openssl(`req -x509 ${key} -days 2 -subj /CN=${authority} -keyout ${authority}-key.pem -out ${authority}.pem`);
  for (const name of names) {
    const host = '-addext subjectAltName=DNS:localhost';
    openssl(`req ${key} -subj /CN=${name} ${host} -keyout ${name}-key.pem -out ${name}.csr`);
    const signed = `-CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -copy_extensions copy`;
    openssl(`x509 -req -in ${name}.csr ${signed} -out ${name}.pem`);
  }
  const file = (name: string) => join(folder, name);
  return {
    file,
    read: (name) => readFileSync(file(name)),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
