/** Answers a mention without reading more than it must: a WebSocket and an HTTP request. What is left is the server's own time. */

import { WebSocket } from 'ws';

const api = process.env['SLACK_API_URL'] ?? '';

async function call(method: string, token: string | undefined, body: Record<string, string>): Promise<unknown> {
  const response = await fetch(`${api}${method}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(body),
  });
  return await response.json();
}

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Object.entries(of).find(([key]) => key === name)?.[1] : undefined;
}

const opened = await call('apps.connections.open', process.env['SLACK_APP_TOKEN'], {});
const socket = new WebSocket(String(field(opened, 'url')));
socket.on('message', (data) => {
  if (!Buffer.isBuffer(data)) return;
  const message: unknown = JSON.parse(data.toString());
  const id = field(message, 'envelope_id');
  if (typeof id !== 'string') return;
  socket.send(JSON.stringify({ envelope_id: id, payload: {} }));
  const event = field(field(message, 'payload'), 'event');
  if (field(event, 'type') !== 'app_mention') return;
  const answer = { channel: String(field(event, 'channel')), text: 'You are somebody' };
  void call('chat.postMessage', process.env['SLACK_BOT_TOKEN'], answer);
});
