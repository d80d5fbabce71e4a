/**
 * A registry that serves images of a small web server, read-only, by the OCI distribution specification. Source:
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pull
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './postgres.ts';

export interface Registry {
  /** `127.0.0.1:5000` */
  readonly address: string;
  /** Paths of all requests that were let in. */
  readonly asked: readonly string[];
  /** Called with each path before it is answered. */
  heard: (path: string) => void;
  /** What nobody who pulls should ask. */
  readonly unexpected: readonly string[];
  close(): Promise<void>;
}

export interface RegistryOptions {
  readonly repository: string;
  readonly tags: readonly string[];
  /** Who may pull; everybody unless given. */
  readonly login?: { readonly user: string; readonly password: string };
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

interface Blob {
  readonly type: string;
  readonly bytes: Buffer;
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const named = ({ type, bytes }: Blob) => ({ mediaType: type, digest: digestOf(bytes), size: bytes.length });

/** A file system with busybox, whose web server says the tag. */
function layerOf(tag: string): Blob {
  const root = mkdtempSync(join(tmpdir(), 'image-'));
  try {
    mkdirSync(join(root, 'bin'));
    mkdirSync(join(root, 'www'));
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
    symlinkSync('busybox', join(root, 'bin/sh'));
    writeFileSync(join(root, 'www/index.html'), `${tag}\n`);
    return { type: LAYER, bytes: execFileSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 1 << 26 }) };
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** All blobs of an image, its manifest the last. */
function imageOf(tag: string): readonly [config: Blob, layer: Blob, manifest: Blob] {
  const layer = layerOf(tag);
  const settings = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: ['/bin/sh', '-c', 'exec /bin/busybox httpd -f -h /www -p ${PORT:-18100}'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer.bytes)] },
  };
  const config = { type: CONFIG, bytes: Buffer.from(JSON.stringify(settings)) };
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: named(config), layers: [named(layer)] };
  return [config, layer, { type: MANIFEST, bytes: Buffer.from(JSON.stringify(manifest)) }];
}

/** @param port one that is free, as an engine may have to know it before */
export async function startRegistry(options: RegistryOptions, port?: number): Promise<Registry> {
  const { repository, tags, login } = options;
  const found = new Map<string, Blob>();
  for (const tag of tags) {
    const [config, layer, manifest] = imageOf(tag);
    for (const blob of [config, layer]) found.set(`/v2/${repository}/blobs/${digestOf(blob.bytes)}`, blob);
    for (const name of [tag, digestOf(manifest.bytes)]) found.set(`/v2/${repository}/manifests/${name}`, manifest);
  }
  const wanted = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  const [asked, unexpected]: [string[], string[]] = [[], []];
  const registry = { heard: (_path: string): void => undefined };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://registry');
    registry.heard(pathname);
    if (wanted !== undefined && request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' });
      return void response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    }
    asked.push(pathname);
    if (pathname === '/v2/') return void response.writeHead(200).end('{}');
    const blob = found.get(pathname);
    const isPull = request.method === 'GET' || request.method === 'HEAD';
    if (!isPull || !pathname.startsWith(`/v2/${repository}/`)) unexpected.push(`${request.method} ${pathname}`);
    if (!isPull || blob === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      return void response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    }
    response.writeHead(200, {
      'content-type': blob.type,
      'content-length': blob.bytes.length,
      'docker-content-digest': digestOf(blob.bytes),
    });
    response.end(request.method === 'HEAD' ? undefined : blob.bytes);
  });
  const at = port ?? (await freePort());
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  return Object.assign(registry, {
    address: `127.0.0.1:${at}`,
    asked,
    unexpected,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
