/** What browsers may send. Everything else is refused before anything looks at it. */

import { z } from 'zod';

/** Longest message, in characters. */
export const MAX_TEXT = 12_000;
/** Largest frame, in bytes. */
export const MAX_FRAME = 64 * 1024;

/** `press-` in front is the mark of a button that was really pressed (render.ts); nobody may put it there. */
const id = z.string().regex(/^(?!press-)[\w-]{8,64}$/);
const roomId = z.string().regex(/^[\w:.-]{1,64}$/);
const messageId = z.int().positive();
const request = z.int().nonnegative();

const frame = z.discriminatedUnion('t', [
  z.strictObject({
    t: z.literal('say'),
    id,
    room: roomId,
    thread: messageId.optional(),
    text: z.string().max(MAX_TEXT),
  }),
  z.strictObject({ t: z.literal('press'), id, message: messageId, index: z.int().min(0).max(999) }),
  z.strictObject({
    t: z.literal('history'),
    req: request,
    room: roomId,
    before: messageId.optional(),
    after: messageId.optional(),
    around: messageId.optional(),
  }),
  z.strictObject({ t: z.literal('thread'), req: request, room: roomId, message: messageId }),
  z.strictObject({ t: z.literal('create'), req: request, name: z.string().max(64) }),
  z.strictObject({ t: z.literal('join'), req: request, room: roomId }),
  z.strictObject({ t: z.literal('leave'), req: request, room: roomId }),
  z.strictObject({ t: z.literal('direct'), req: request, person: z.string().max(64) }),
  z.strictObject({ t: z.literal('browse'), req: request }),
  z.strictObject({ t: z.literal('read'), room: roomId, message: messageId }),
  z.strictObject({
    t: z.literal('search'),
    req: request,
    query: z.string().max(500),
    room: roomId.optional(),
    page: z.int().min(1).max(100).optional(),
  }),
  z.strictObject({ t: z.literal('complete'), req: request, text: z.string().max(1000) }),
]);

export type ClientFrame = z.infer<typeof frame>;

/** `id` or `req` tells the browser which of its frames it was, where that could be read. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly id?: string;
  readonly req?: number;
  readonly tooLong: boolean;
}

export type Parsed = { readonly kind: 'frame'; readonly frame: ClientFrame } | Malformed;

const envelope = z.object({ id: id.optional().catch(undefined), req: request.optional().catch(undefined) });

/** Reads one frame of a browser. */
export function parseFrame(data: string): Parsed {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return { kind: 'malformed', tooLong: false };
  }
  const parsed = frame.safeParse(json);
  if (parsed.success) return { kind: 'frame', frame: parsed.data };
  const outer = envelope.safeParse(json);
  const tooLong = parsed.error.issues.some((issue) => issue.code === 'too_big' && issue.path[0] === 'text');
  return {
    kind: 'malformed',
    tooLong,
    ...(outer.data?.id !== undefined && { id: outer.data.id }),
    ...(outer.data?.req !== undefined && { req: outer.data.req }),
  };
}

const enter = z.strictObject({ name: z.string().max(200) });

/** The display name that a new person asks for; undefined if the body is something else. */
export function parseEnter(body: unknown): { readonly name: string } | undefined {
  return enter.safeParse(body).data;
}

const action = z.object({
  label: z.string(),
  command: z.string(),
  style: z.enum(['primary', 'danger']).optional(),
});

const cardJson = z.object({
  kind: z.literal('card'),
  title: z.string(),
  tone: z.enum(['neutral', 'progress', 'good', 'warning', 'bad']).catch('neutral'),
  text: z.string().optional(),
  fields: z.array(z.object({ name: z.string(), value: z.string(), short: z.boolean().optional() })).optional(),
  actions: z.array(action).optional(),
  choices: z.array(z.object({ label: z.string(), options: z.array(action) })).optional(),
  image: z.object({ url: z.string(), alt: z.string() }).optional(),
  file: z.object({ name: z.string(), path: z.string() }).optional(),
  footer: z.string().optional(),
  speaker: z.object({ name: z.string() }).optional(),
});

export type StoredCard = z.infer<typeof cardJson>;

/** A card as it was stored; undefined for plain text. */
export function parseCard(content: unknown): StoredCard | undefined {
  return cardJson.safeParse(content).data;
}

const busEvent = z.discriminatedUnion('k', [
  z.object({ k: z.literal('message'), from: z.string(), id: z.int() }),
  z.object({ k: z.literal('changed'), from: z.string(), id: z.int() }),
  z.object({ k: z.literal('room'), from: z.string(), room: z.string() }),
  z.object({ k: z.literal('membership'), from: z.string(), room: z.string(), account: z.int() }),
  z.object({ k: z.literal('read'), from: z.string(), room: z.string(), account: z.int() }),
  z.object({ k: z.literal('account'), from: z.string(), account: z.int() }),
  z.object({ k: z.literal('signout'), from: z.string(), session: z.string() }),
  z.object({ k: z.literal('presence'), from: z.string(), accounts: z.array(z.int()), ask: z.boolean() }),
  z.object({
    k: z.literal('working'),
    from: z.string(),
    room: z.string(),
    thread: z.string().nullable(),
    on: z.boolean(),
  }),
]);

export type BusEvent = z.infer<typeof busEvent>;

/** What another replica told; undefined if it speaks a newer protocol. */
export function parseBusEvent(payload: unknown): BusEvent | undefined {
  return busEvent.safeParse(payload).data;
}
