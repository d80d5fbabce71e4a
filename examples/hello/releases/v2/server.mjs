// hello v2: answers every request with a warmer greeting. Listens on 127.0.0.1 and prints the port.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  if (request.url === '/health') response.end('ok v2');
  else response.end('Hello there, from v2\n');
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
