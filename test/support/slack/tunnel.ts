/** A way to the server that can fall silent: nothing arrives any more, and nobody is told. */

import { connect, createServer, type Socket } from 'node:net';

export interface Tunnel {
  /** Instead of the server's own. */
  readonly apiUrl: string;
  /** All connections that there are: both sides believe in them. */
  fallSilent(): void;
  close(): Promise<void>;
}

/** Leads to a server whose port has five digits, as its own has: addresses in answers lead through it as well. */
export async function openTunnel(url: string): Promise<Tunnel> {
  const target = Number(new URL(url).port);
  const pairs = new Set<readonly [Socket, Socket]>();
  let port = 0;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      near.write(text.replaceAll(`127.0.0.1:${target}`, `127.0.0.1:${port}`), 'latin1');
    });
    for (const [one, other] of [pair, [far, near]] as const) {
      one.on('error', () => undefined);
      one.on('close', () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
  });
  do {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    port = typeof address === 'object' && address ? address.port : 0;
  } while (String(port).length !== String(target).length);
  return {
    apiUrl: `http://127.0.0.1:${port}/api/`,
    fallSilent() {
      for (const pair of pairs) for (const socket of pair) socket.removeAllListeners('data').resume();
    },
    async close() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
