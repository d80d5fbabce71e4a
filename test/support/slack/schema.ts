/** The arguments of the Web API, as docs.slack.dev/reference/methods lists them: parsed once here, refused if unknown. */

import { z } from 'zod';

const fields = z.record(z.string(), z.unknown());

/** JSON objects of unknown shape. */
export const anyFields = fields;

export const block = z.looseObject({ type: z.string(), block_id: z.string().optional() });

/** A Block Kit block or element whose shape `check-blocks.ts` has looked at. */
export type Block = z.infer<typeof block>;

const flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0'])])
  .transform((value) => value === true || value === 'true' || value === '1');
const count = z.coerce.number().int().min(0);

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function json<T extends z.ZodType>(schema: T) {
  return z.preprocess(parsed, schema);
}

/** Form bodies carry arrays as JSON or as a list with commas. */
const list = z
  .preprocess(
    (value) => (typeof value === 'string' && value.startsWith('[') ? parsed(value) : value),
    z.union([z.string(), z.array(z.string())]),
  )
  .transform((value) => (typeof value === 'string' ? value.split(',').filter(Boolean) : value));

const blocks = json(z.array(block));
const attachments = json(z.array(fields));
const ts = z.string().regex(/^\d+\.\d{6}$/);
const metadata = json(
  z.strictObject({ event_type: z.string(), event_payload: fields, entities: z.array(fields).optional() }),
);

/** Taken by every method; `team_id` is added by clients that know their workspace. */
const everywhere = { token: z.string().optional(), team_id: z.string().optional() };

const page = { cursor: z.string().optional(), limit: count.optional() };
const authorship = {
  username: z.string().max(80).optional(),
  icon_emoji: z.string().optional(),
  icon_url: z.string().optional(),
};
const contents = {
  text: z.string().optional(),
  blocks: blocks.optional(),
  attachments: attachments.optional(),
  markdown_text: z.string().optional(),
};
const parseText = { parse: z.enum(['full', 'none']).optional(), link_names: flag.optional(), as_user: flag.optional() };
const chunk = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('markdown_text'), text: z.string() }),
  z.strictObject({
    type: z.literal('task_update'),
    id: z.string(),
    title: z.string().max(256),
    status: z.enum(['pending', 'in_progress', 'complete', 'error']),
    details: z.string().max(256).optional(),
    output: z.string().max(256).optional(),
    sources: z.array(fields).optional(),
  }),
  z.strictObject({ type: z.literal('plan_update'), title: z.string() }),
  z.strictObject({ type: z.literal('blocks'), blocks: z.array(block) }),
]);
const chunks = json(z.array(chunk));
const streamed = { markdown_text: z.string().max(12_000).optional(), chunks: chunks.optional() };

function object<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject({ ...everywhere, ...shape });
}

const timeline = {
  oldest: z.string().optional(),
  latest: z.string().optional(),
  inclusive: flag.optional(),
  include_all_metadata: flag.optional(),
};
const modal = json(fields);

export const args = {
  none: object({}),
  any: z.looseObject({}),
  postMessage: object({
    channel: z.string(),
    ...contents,
    ...authorship,
    ...parseText,
    thread_ts: ts.optional(),
    reply_broadcast: flag.optional(),
    mrkdwn: flag.optional(),
    unfurl_links: flag.optional(),
    unfurl_media: flag.optional(),
    client_msg_id: z.uuid().optional(),
    metadata: metadata.optional(),
  }),
  update: object({
    channel: z.string(),
    ts,
    ...contents,
    ...parseText,
    metadata: metadata.optional(),
    reply_broadcast: flag.optional(),
    file_ids: list.optional(),
  }),
  deleteMessage: object({ channel: z.string(), ts, as_user: flag.optional() }),
  postEphemeral: object({
    channel: z.string(),
    user: z.string(),
    ...contents,
    ...authorship,
    ...parseText,
    thread_ts: ts.optional(),
  }),
  permalink: object({ channel: z.string(), message_ts: ts }),
  startStream: object({
    channel: z.string(),
    thread_ts: ts,
    ...streamed,
    ...authorship,
    recipient_team_id: z.string().optional(),
    recipient_user_id: z.string().optional(),
    task_display_mode: z.enum(['timeline', 'plan', 'dense']).optional(),
  }),
  appendStream: object({ channel: z.string(), ts, ...streamed }),
  stopStream: object({
    channel: z.string(),
    ts,
    ...streamed,
    blocks: blocks.optional(),
    metadata: metadata.optional(),
    session_status: z.string().optional(),
  }),
  usersList: object({ ...page, include_locale: flag.optional() }),
  usersInfo: object({ user: z.string(), include_locale: flag.optional() }),
  byEmail: object({ email: z.string() }),
  bot: object({ bot: z.string().optional() }),
  groupsList: object({
    include_count: flag.optional(),
    include_disabled: flag.optional(),
    include_users: flag.optional(),
  }),
  groupUsers: object({ usergroup: z.string(), include_disabled: flag.optional() }),
  groupUpdate: object({ usergroup: z.string(), users: list, include_count: flag.optional() }),
  conversationsList: object({ ...page, types: z.string().optional(), exclude_archived: flag.optional() }),
  conversation: object({
    channel: z.string(),
    include_locale: flag.optional(),
    include_num_members: flag.optional(),
  }),
  members: object({ channel: z.string(), ...page }),
  history: object({ channel: z.string(), ...page, ...timeline }),
  replies: object({ channel: z.string(), ts, ...page, ...timeline }),
  open: object({
    channel: z.string().optional(),
    users: list.optional(),
    prevent_creation: flag.optional(),
    return_im: flag.optional(),
  }),
  join: object({ channel: z.string() }),
  setTopic: object({ channel: z.string(), topic: z.string() }),
  team: object({ team: z.string().optional(), domain: z.string().optional() }),
  ownChannels: object({
    ...page,
    types: z.string().optional(),
    exclude_archived: flag.optional(),
    user: z.string().optional(),
  }),
  reaction: object({ channel: z.string(), timestamp: ts, name: z.string() }),
  reactionsOf: object({ channel: z.string(), timestamp: ts, full: flag.optional() }),
  uploadUrl: object({
    filename: z.string().min(1),
    length: count.min(1),
    alt_text: z.string().max(1000).optional(),
    alt_txt: z.string().max(1000).optional(),
    snippet_type: z.string().optional(),
  }),
  completeUpload: object({
    files: json(
      z
        .array(z.strictObject({ id: z.string(), title: z.string().optional(), highlight_type: z.string().optional() }))
        .min(1),
    ),
    channel_id: z.string().optional(),
    channels: list.optional(),
    thread_ts: ts.optional(),
    initial_comment: z.string().optional(),
    blocks: blocks.optional(),
  }),
  fileInfo: object({ file: z.string(), ...page, count: count.optional(), page: count.optional() }),
  viewOpen: object({ trigger_id: z.string(), view: modal }),
  viewPublish: object({ user_id: z.string(), view: modal, hash: z.string().optional() }),
  viewUpdate: object({
    view_id: z.string().optional(),
    external_id: z.string().optional(),
    view: modal,
    hash: z.string().optional(),
  }),
  status: object({
    channel_id: z.string(),
    thread_ts: ts,
    status: z.string(),
    loading_messages: json(z.array(z.string()).max(10)).optional(),
    ...authorship,
  }),
  title: object({ channel_id: z.string(), thread_ts: ts, title: z.string() }),
  prompts: object({
    channel_id: z.string(),
    thread_ts: ts.optional(),
    title: z.string().optional(),
    prompts: json(z.array(z.strictObject({ title: z.string(), message: z.string() })).max(4)),
  }),
};

/** What may be posted to a response_url; docs.slack.dev/interactivity/handling-user-interaction. */
export const response = z.strictObject({
  text: z.string().optional(),
  blocks: z.array(block).optional(),
  attachments: z.array(fields).optional(),
  response_type: z.enum(['ephemeral', 'in_channel']).optional(),
  replace_original: flag.optional(),
  delete_original: flag.optional(),
  thread_ts: ts.optional(),
  mrkdwn: flag.optional(),
  unfurl_links: flag.optional(),
  unfurl_media: flag.optional(),
  metadata: metadata.optional(),
});

export type Response = z.infer<typeof response>;

export type Chunk = z.infer<typeof chunk>;

/** What a `view_submission` may be answered with; docs.slack.dev/surfaces/modals. */
export const viewAnswer = z.discriminatedUnion('response_action', [
  z.strictObject({ response_action: z.literal('errors'), errors: z.record(z.string(), z.string()) }),
  z.strictObject({ response_action: z.literal('update'), view: fields }),
  z.strictObject({ response_action: z.literal('push'), view: fields }),
  z.strictObject({ response_action: z.literal('clear') }),
]);

/** What a `block_suggestion` is answered with. */
export const optionsAnswer = z.union([
  z.strictObject({ options: z.array(fields).max(100) }),
  z.strictObject({ option_groups: z.array(z.looseObject({ label: fields, options: z.array(fields) })).max(100) }),
]);

/** An acknowledgement over a socket. */
export const acknowledgement = z.looseObject({ envelope_id: z.string(), payload: fields.optional() });
