// hello v3: a release with a real fault. It starts, but it reads a setting that nobody has written, so every request fails.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const server = createServer(async (request, response) => {
  try {
    const greeting = await readFile(new URL('greeting.txt', import.meta.url), 'utf8');
    response.end(request.url === '/health' ? 'ok v3-broken' : `${greeting}\n`);
  } catch (error) {
    console.error(`error: cannot answer ${request.url}: ${error.code}: greeting.txt is not part of this release`);
    response.statusCode = 500;
    response.end('no greeting');
  }
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
