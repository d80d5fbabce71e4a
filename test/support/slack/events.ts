/** The events that follow from a change of state; docs.slack.dev/reference/events. Only channels that the bot is in are told. */

import type { Dispatcher } from './delivery.ts';
import { channelType, messageObject } from './shapes.ts';
import type { Channel, Fields, Message, Workspace } from './workspace.ts';

export class Events {
  readonly #workspace: Workspace;
  readonly #dispatcher: Dispatcher;
  readonly #url: () => string;

  constructor(workspace: Workspace, dispatcher: Dispatcher, url: () => string) {
    this.#workspace = workspace;
    this.#dispatcher = dispatcher;
    this.#url = url;
  }

  /** Any event at all. Returns its `event_id`. */
  send(event: Fields, channel?: Channel): string {
    return this.#dispatcher.event(event, { shared: channel?.shared ?? false });
  }

  posted(message: Message): void {
    const channel = this.#told(message.channel);
    if (!channel) return;
    const body = messageObject(this.#workspace, message, this.#url());
    const where = { channel: channel.id, event_ts: message.ts };
    const mentioned = message.botId === undefined && message.text.includes(`<@${this.#workspace.bot.id}>`);
    if (mentioned && channel.kind !== 'im') this.send({ ...body, type: 'app_mention', ...where }, channel);
    this.send({ ...body, ...where, channel_type: channelType(channel) }, channel);
  }

  changed(message: Message, before: Fields): void {
    const channel = this.#told(message.channel);
    if (!channel) return;
    const ts = this.#workspace.newTs();
    this.send(
      {
        type: 'message',
        subtype: 'message_changed',
        hidden: true,
        message: messageObject(this.#workspace, message, this.#url()),
        previous_message: before,
        channel: channel.id,
        ts,
        event_ts: ts,
        channel_type: channelType(channel),
      },
      channel,
    );
  }

  deleted(message: Message): void {
    const channel = this.#told(message.channel);
    if (!channel) return;
    const ts = this.#workspace.newTs();
    this.send(
      {
        type: 'message',
        subtype: 'message_deleted',
        hidden: true,
        deleted_ts: message.ts,
        previous_message: messageObject(this.#workspace, message, this.#url()),
        channel: channel.id,
        ts,
        event_ts: ts,
        channel_type: channelType(channel),
      },
      channel,
    );
  }

  reaction(kind: 'reaction_added' | 'reaction_removed', message: Message, user: string, name: string): void {
    const channel = this.#told(message.channel);
    if (!channel) return;
    this.send(
      {
        type: kind,
        user,
        reaction: name,
        item: { type: 'message', channel: message.channel, ts: message.ts },
        item_user: message.user,
        event_ts: this.#workspace.newTs(),
      },
      channel,
    );
  }

  /** The message as it is now, for `changed`. */
  before(message: Message): Fields {
    return messageObject(this.#workspace, message, this.#url());
  }

  #told(id: string): Channel | undefined {
    const channel = this.#workspace.channels.get(id);
    return channel?.members.has(this.#workspace.bot.id) ? channel : undefined;
  }
}
