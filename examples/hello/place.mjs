// Where this sample keeps what is live: one folder for each environment, in it the releases that were installed and the
// link `current`, which names the live one. Switching is one rename, so there is no moment without a live release.
import { lstat, mkdir, readlink, rename, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

export function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

/** The folder of an environment; the robot names the service's data folder in SHIPMATE_SERVICE_DATA. */
export function placeOf(environment) {
  const data = process.env.SHIPMATE_SERVICE_DATA;
  if (!data) fail('SHIPMATE_SERVICE_DATA is not set: it names the folder in which this service is installed');
  if (!/^[a-z0-9][a-z0-9._-]*$/i.test(environment ?? '')) fail('usage: <program> <environment> [version]');
  return join(data, environment);
}

/** The live version and since when, or undefined. */
export async function live(place) {
  const link = join(place, 'current');
  try {
    const [target, { mtime }] = await Promise.all([readlink(link), lstat(link)]);
    return { version: basename(target), since: mtime.toISOString() };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes an installed release the live one, all at once. */
export async function switchTo(place, version) {
  await mkdir(place, { recursive: true });
  const next = join(place, `.next-${process.pid}`);
  await symlink(join('releases', version), next);
  await rename(next, join(place, 'current'));
}
