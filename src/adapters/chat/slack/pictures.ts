/** Pictures of our own, as bytes: what a card shows by a data address, or by a path of the robot's own HTTP server. */

/** A picture that a chat may take. */
export interface Picture {
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly name: string;
}

const DATA = /^data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=]+)$/;
/** One slash: two begin the name of another host. */
const OWN_PATH = /^\/(?![/\\])/;
const LARGEST_BYTES = 10_000_000;
const PATIENCE_MS = 5_000;

/**
 * @param localUrl where this machine reaches the robot's own server; empty while it does not listen
 * @returns the picture, or undefined if the address is none of ours or shows no picture
 */
export function createPictures(localUrl: () => string): (url: string) => Promise<Picture | undefined> {
  return async (url) => {
    const data = DATA.exec(url);
    if (data?.[1] !== undefined && data[2] !== undefined) return picture(Buffer.from(data[2], 'base64'), data[1]);
    const base = localUrl();
    if (!OWN_PATH.test(url) || base === '') return undefined;
    const target = new URL(url, base);
    if (target.origin !== new URL(base).origin) return undefined;
    try {
      const answer = await fetch(target, { redirect: 'error', signal: AbortSignal.timeout(PATIENCE_MS) });
      const type = answer.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
      if (!answer.ok || !type.startsWith('image/')) return undefined;
      return picture(new Uint8Array(await answer.arrayBuffer()), type);
    } catch {
      return undefined;
    }
  };
}

function picture(bytes: Uint8Array, type: string): Picture | undefined {
  if (bytes.length === 0 || bytes.length > LARGEST_BYTES) return undefined;
  return { bytes, type, name: `picture.${type.slice('image/'.length).replace(/\W.*$/, '')}` };
}
