/** `robot.http(url).get()(callback)` of Hubot scripts, whose callback may throw without ending the process. */

import type { HttpCallback, Message, Response, ScopedClient } from 'hubot';

/** Waits for the answer before it is idle, and hears what a callback throws. */
export interface Keeper {
  track<T>(work: Promise<T>): Promise<T>;
  emit(event: string, ...values: unknown[]): void;
}

/** The same client, with every callback guarded. Exceptions go to the robot's error handlers. */
export function guardedClient(client: ScopedClient, keeper: Keeper, response?: Response<Message>): ScopedClient {
  const request = client.request.bind(client);
  const scope = client.scope.bind(client);
  client.request = (method, body, hook) => {
    const run = request(method, body, hook);
    return (callback) => run(callback && guarded(callback, keeper, response));
  };
  client.scope = (url, options, callback) => guardedClient(scope(url, options, callback), keeper, response);
  return client;
}

function guarded(callback: HttpCallback, keeper: Keeper, response?: Response<Message>): HttpCallback {
  const { promise, resolve } = Promise.withResolvers<void>();
  void keeper.track(promise);
  return async (error, answer, body) => {
    try {
      await callback(error, answer, body);
    } catch (thrown) {
      keeper.emit('error', thrown, response);
    } finally {
      resolve();
    }
  };
}
