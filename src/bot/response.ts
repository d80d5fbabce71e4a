/** What a listener answers with: Hubot's response, sent to the chat that the message came from. */

import {
  type Adapter,
  type Envelope,
  type Message,
  Response,
  type ResponseContext,
  type Robot,
  type ScopedClient,
  type SendMethod,
} from 'hubot';
import { guardedClient, type Keeper } from './http-client.ts';

/** What a response needs of our robot. Hubot's tests make responses of robots that are not ours. */
interface AnsweringRobot extends Robot {
  track: Keeper['track'];
  adapterFor(envelope: Envelope): Adapter | null;
  answering(message: Message, work: Promise<unknown>): void;
  httpClient(url: string, options?: object): ScopedClient;
}

function isOurs(robot: Robot): robot is AnsweringRobot {
  return typeof robot === 'object' && 'answering' in robot && 'adapterFor' in robot;
}

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
    return isOurs(robot) ? guardedClient(robot.httpClient(url, options), robot, this) : super.http(url, options);
  }

  #answer(method: SendMethod, strings: string[]): Promise<unknown> {
    const work = this.#send(method, strings);
    if (isOurs(this.robot)) this.robot.answering(this.message, work);
    return work;
  }

  async #send(method: SendMethod, strings: string[]): Promise<unknown> {
    const context: ResponseContext = { response: this, strings, method };
    if (method !== 'play') context.plaintext = true;
    if ((await this.robot.middleware.response.execute(context)) === false) return undefined;
    const { robot } = this;
    const adapter = isOurs(robot) ? robot.adapterFor(this.envelope) : robot.adapter;
    // No adapter of today has Hubot's `locked` (Campfire's unlogged rooms): such a text is just sent.
    return adapter?.[method === 'locked' ? 'send' : method](this.envelope, ...context.strings);
  }
}
