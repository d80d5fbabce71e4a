// hello v1: answers every request with a greeting. Listens on 127.0.0.1 and prints the port.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  if (request.url === '/health') response.end('ok v1');
  else response.end('Hello from v1\n');
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
