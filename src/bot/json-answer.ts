/** How our own routes answer programs: a line of JSON that nothing on the way keeps. */

import type { ServerResponse } from 'node:http';

/** Sends the status and the body, and ends the response. Headers that were set before stay. */
export function answerJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
