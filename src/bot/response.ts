/** What a listener answers with: Hubot's response, sent to the chat that the message came from. */

import { type Message, Response, type ResponseContext, type ScopedClient, type SendMethod } from 'hubot';
import { guardedClient } from './http-client.ts';
import { Robot } from './robot.ts';

export class RobotResponse extends Response<Message> {
  override send(...strings: string[]): Promise<unknown> {
    return this.#answer('send', strings);
  }
  override emote(...strings: string[]): Promise<unknown> {
    return this.#answer('emote', strings);
  }
  override reply(...strings: string[]): Promise<unknown> {
    return this.#answer('reply', strings);
  }
  override topic(...strings: string[]): Promise<unknown> {
    return this.#answer('topic', strings);
  }
  override play(...strings: string[]): Promise<unknown> {
    return this.#answer('play', strings);
  }
  override locked(...strings: string[]): Promise<unknown> {
    return this.#answer('locked', strings);
  }

  /** As Hubot's, and an exception in the callback is reported instead of ending the process. */
  override http(url: string, options?: object): ScopedClient {
    const { robot } = this;
    return robot instanceof Robot
      ? guardedClient(robot.httpClient(url, options), robot, this)
      : super.http(url, options);
  }

  #answer(method: SendMethod, strings: string[]): Promise<unknown> {
    const work = this.#send(method, strings);
    if (this.robot instanceof Robot) this.robot.answering(this.message, work);
    return work;
  }

  async #send(method: SendMethod, strings: string[]): Promise<unknown> {
    const context: ResponseContext = { response: this, strings, method };
    if (method !== 'play') context.plaintext = true;
    if ((await this.robot.middleware.response.execute(context)) === false) return undefined;
    const adapter = this.robot instanceof Robot ? this.robot.adapterFor(this.envelope) : this.robot.adapter;
    // No adapter of today has Hubot's `locked` (Campfire's unlogged rooms): such a text is just sent.
    return adapter?.[method === 'locked' ? 'send' : method](this.envelope, ...context.strings);
  }
}
