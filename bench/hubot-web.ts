/**
 * Stock Hubot behind a WebSocket, keeping nothing: what answering costs without a history. Prints its port. With an address as its argument,
 * `deploy` posts there.
 */

import axios from 'axios';
import { Adapter, type Envelope, Robot, TextMessage } from 'hubot';
import pino from 'pino';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

class Sockets extends Adapter {
  override async send(_envelope: Envelope, ...strings: string[]): Promise<void> {
    for (const socket of server.clients) for (const text of strings) socket.send(JSON.stringify({ text }));
  }
}

const robot = new Robot(null, false, 'hubot', false);
robot.logger = pino({ level: 'silent' });
robot.adapter = new Sockets(robot);
robot.respond(/whoami$/i, async (response) => {
  const { id, name } = response.message.user;
  await response.send(`You are ${name}\nId: ${id}`);
});
robot.respond(/deploy (\S+) (\S+) to (\S+)$/i, async (response) => {
  const [, service, version, environment] = response.match;
  await axios.post(process.argv[2] ?? '', { action: 'deploy', service, version, environment });
  await response.send(`Deploying ${service} ${version} to ${environment}`);
});
const user = robot.brain.userForId('alice', { name: 'alice', room: 'ops' });
server.on('connection', (socket) => {
  socket.on('message', (data) => {
    if (Buffer.isBuffer(data)) void robot.receive(new TextMessage(user, data.toString(), 'id'));
  });
});
server.on('listening', () => {
  const bound = server.address();
  if (typeof bound === 'object' && bound) console.log(bound.port);
});
