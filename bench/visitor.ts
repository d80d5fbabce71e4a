/** Somebody in the web chat: signs in by the link, then types into their conversation with the robot. */

import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { ServerFrame } from '../src/adapters/chat/web/protocol.ts';
import type { Program } from './program.ts';

const LATE_MS = 10_000;

/** Milliseconds from sending. */
export interface Taken {
  /** Until the robot said that the message is stored. */
  readonly stored: number;
  /** Until the answer, stored as well, was there. */
  readonly answered: number;
  /** The answer as the page gets it, as JSON. */
  readonly answer: string;
}

export interface Visitor {
  /** Types a command and waits for its answer, or until the answer has become this. */
  ask(text: string, wanted?: RegExp): Promise<Taken>;
  leave(): void;
}

export async function visit(program: Program, name: string): Promise<Visitor> {
  const opened = await fetch(program.link, { redirect: 'manual' });
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
  const entered = await fetch(`${program.url}/web/enter`, {
    method: 'POST',
    headers: { cookie, origin: program.url, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (!entered.ok) throw new Error(`${name} could not enter: ${await entered.text()}`);
  const socket = new WebSocket(`${program.url.replace('http', 'ws')}/web/socket`, {
    headers: { cookie, origin: program.url },
  });
  let hear: (frame: ServerFrame) => void = () => undefined;
  socket.on('message', (data) => {
    if (Buffer.isBuffer(data)) hear(JSON.parse(data.toString()));
  });
  const room = await new Promise<string>((resolve, reject) => {
    socket.once('error', reject);
    hear = (frame) => {
      if (frame.t === 'welcome') resolve(frame.robot.room);
    };
  });
  return {
    async ask(text, wanted) {
      const id = randomUUID();
      const sent = performance.now();
      return await new Promise<Taken>((resolve, reject) => {
        let stored = Number.NaN;
        let message = Number.POSITIVE_INFINITY;
        const late = setTimeout(() => reject(new Error(`no answer to ${name}: ${text}`)), LATE_MS);
        hear = (frame) => {
          if (frame.t === 'ack' && frame.id === id) {
            stored = performance.now() - sent;
            message = frame.message;
          }
          if (frame.t === 'refused') reject(new Error(frame.problem.text));
          if (frame.t !== 'message' && (frame.t !== 'changed' || wanted === undefined)) return;
          if (!frame.message.robot || frame.message.id <= message || frame.message.room !== room) return;
          const answer = JSON.stringify(frame.message);
          if (wanted?.test(answer) === false) return;
          clearTimeout(late);
          resolve({ stored, answered: performance.now() - sent, answer });
        };
        socket.send(JSON.stringify({ t: 'say', id, room, text }));
      });
    },
    leave: () => socket.close(),
  };
}
