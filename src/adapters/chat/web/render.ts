/** A stored message as browsers get it. */

import type { Action } from '../../../bot/card.ts';
import type { StoredMessage, ThreadSummary } from '../../../domain/history/ports.ts';
import { renderMarkdown } from './markdown.ts';
import type { WireCard, WireMessage } from './protocol.ts';
import { parseCard, type StoredCard } from './schema.ts';

/** One slash: two begin the name of another host. */
const OWN_PATH = /^\/(?![/\\])/;

/** Begins the client id of a pressed button, so that a replica that takes it over knows how it came in. */
export const PRESSED = 'press-';

/** Without what only its author gets to know; see {@link forViewer}. */
export function renderMessage(
  message: StoredMessage,
  thread: ThreadSummary | undefined,
  robotName: string,
): WireMessage {
  const card = message.content === null ? undefined : parseCard(message.content);
  const pressed = message.clientId?.startsWith(PRESSED) === true;
  return {
    id: message.id,
    room: message.room,
    ...(message.thread !== null && { thread: Number(message.thread) }),
    person: { id: message.personId, name: message.fromRobot ? robotName : message.personName },
    robot: message.fromRobot,
    at: message.at.toISOString(),
    ...(card && { card: renderCard(card) }),
    ...(pressed && { pressed: { command: message.text } }),
    ...(!card && !pressed && { html: renderMarkdown(message.text) }),
    edited: message.editedAt !== null,
    replies: thread?.replies ?? 0,
    ...(thread && { lastReply: thread.lastAt.toISOString() }),
    onlyYou: message.onlyTo !== null,
  };
}

/** Adds the browser's own id for the one who sent it, so that the page recognises what it is waiting for. */
export function forViewer(wire: WireMessage, message: StoredMessage, viewer: string): WireMessage {
  return message.personId === viewer && message.clientId !== null ? { ...wire, clientId: message.clientId } : wire;
}

function renderCard(card: StoredCard): WireCard {
  return {
    title: card.title,
    tone: card.tone,
    ...(card.text !== undefined && { html: renderMarkdown(card.text) }),
    fields: (card.fields ?? []).map((field) => ({
      name: field.name,
      html: renderMarkdown(field.value),
      short: field.short ?? true,
    })),
    actions: (card.actions ?? []).map(renderAction),
    choices: (card.choices ?? []).map(({ label, options }) => ({ label, options: options.map(renderAction) })),
    ...(card.image && { image: renderImage(card.image) }),
    ...(card.file && OWN_PATH.test(card.file.path) && { file: { name: card.file.name, href: card.file.path } }),
    ...(card.footer !== undefined && { footer: card.footer }),
    ...(card.speaker && { speaker: card.speaker.name }),
  };
}

/** What a card offers to press, in the order in which browsers count: its buttons, then the options of its choices. */
export function pressable(card: StoredCard): Action[] {
  return [...(card.actions ?? []), ...(card.choices ?? []).flatMap(({ options }) => options)].map(renderAction);
}

function renderAction(action: NonNullable<StoredCard['actions']>[number]): Action {
  return { label: action.label, command: action.command, ...(action.style && { style: action.style }) };
}

/** Pictures of our own are shown; those from elsewhere become a link, so that looking at a card tells nobody. */
function renderImage(image: { url: string; alt: string }): { src?: string; url: string; alt: string } {
  if (OWN_PATH.test(image.url)) return { src: image.url, ...image };
  return { url: /^https?:\/\//i.test(image.url) ? image.url : 'about:blank', alt: image.alt };
}
