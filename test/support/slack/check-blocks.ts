/**
 * Block Kit's limits, as docs.slack.dev/reference/block-kit states them. Unknown keys are refused, as Slack does. A problem is
 * told as Slack tells it: what, and a JSON pointer to where.
 */

import { z } from 'zod';

const plain = (max: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(max), emoji: z.boolean().optional() });
const mrkdwn = (max: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(max), verbatim: z.boolean().optional() });
const text = (max: number) => z.discriminatedUnion('type', [plain(max), mrkdwn(max)]);

const actionId = z.string().min(1).max(255).optional();
const blockId = { block_id: z.string().min(1).max(255).optional() };
const style = z.enum(['primary', 'danger']).optional();
const confirm = z
  .strictObject({ title: plain(100), text: text(300), confirm: plain(30), deny: plain(30), style })
  .optional();
const option = z.strictObject({
  text: text(75),
  value: z.string().min(1).max(150),
  description: text(75).optional(),
  url: z.string().max(3000).optional(),
});
const options = (max: number) => z.array(option).min(1).max(max);
const optionGroups = z
  .array(z.strictObject({ label: plain(75), options: options(100) }))
  .min(1)
  .max(100);
const placeholder = plain(150).optional();
const focus = z.boolean().optional();
const url = z.string().min(1).max(3000);
const slackFile = z.union([z.strictObject({ id: z.string() }), z.strictObject({ url: z.string() })]);
const dispatchConfig = z
  .strictObject({ trigger_actions_on: z.array(z.enum(['on_enter_pressed', 'on_character_entered'])) })
  .optional();

function element<N extends string, T extends z.ZodRawShape>(name: N, shape: T) {
  return z.strictObject({ type: z.literal(name), action_id: actionId, ...shape });
}

const image = z.strictObject({
  type: z.literal('image'),
  image_url: url.optional(),
  slack_file: slackFile.optional(),
  alt_text: z.string().min(1).max(2000),
});
const button = element('button', {
  text: plain(75),
  url: url.optional(),
  value: z.string().max(2000).optional(),
  style,
  confirm,
  accessibility_label: z.string().max(75).optional(),
});
const menu = { placeholder, confirm, focus_on_load: focus };
const many = { max_selected_items: z.number().int().min(1).optional() };
const chosen = { options: options(100).optional(), option_groups: optionGroups.optional() };
const filter = z.looseObject({}).optional();
const conversations = {
  default_to_current_conversation: z.boolean().optional(),
  response_url_enabled: z.boolean().optional(),
  filter,
};
const selects = [
  element('static_select', { ...menu, ...chosen, initial_option: option.optional() }),
  element('multi_static_select', { ...menu, ...chosen, ...many, initial_options: options(100).optional() }),
  element('external_select', {
    ...menu,
    min_query_length: z.number().int().min(0).optional(),
    initial_option: option.optional(),
  }),
  element('multi_external_select', {
    ...menu,
    ...many,
    min_query_length: z.number().int().min(0).optional(),
    initial_options: options(100).optional(),
  }),
  element('users_select', { ...menu, initial_user: z.string().optional() }),
  element('multi_users_select', { ...menu, ...many, initial_users: z.array(z.string()).optional() }),
  element('conversations_select', { ...menu, ...conversations, initial_conversation: z.string().optional() }),
  element('multi_conversations_select', {
    ...menu,
    ...many,
    ...conversations,
    initial_conversations: z.array(z.string()).optional(),
  }),
  element('channels_select', {
    ...menu,
    response_url_enabled: z.boolean().optional(),
    initial_channel: z.string().optional(),
  }),
  element('multi_channels_select', { ...menu, ...many, initial_channels: z.array(z.string()).optional() }),
] as const;
const pickers = [
  element('datepicker', { ...menu, initial_date: z.iso.date().optional() }),
  element('timepicker', {
    ...menu,
    initial_time: z
      .string()
      .regex(/^\d\d:\d\d$/)
      .optional(),
    timezone: z.string().optional(),
  }),
  element('datetimepicker', { initial_date_time: z.number().int().optional(), confirm, focus_on_load: focus }),
  element('checkboxes', {
    options: options(10),
    initial_options: options(10).optional(),
    confirm,
    focus_on_load: focus,
  }),
  element('radio_buttons', { options: options(10), initial_option: option.optional(), confirm, focus_on_load: focus }),
] as const;
const overflow = element('overflow', { options: options(5), confirm });
const workflow = element('workflow_button', {
  text: plain(75),
  workflow: z.looseObject({}),
  style,
  accessibility_label: z.string().max(75).optional(),
});
const typed = { placeholder, focus_on_load: focus, dispatch_action_config: dispatchConfig };
const length = {
  min_length: z.number().int().min(0).max(3000).optional(),
  max_length: z.number().int().min(1).max(3000).optional(),
};
const inputs = [
  element('plain_text_input', {
    ...typed,
    ...length,
    initial_value: z.string().max(3000).optional(),
    multiline: z.boolean().optional(),
  }),
  element('number_input', {
    ...typed,
    is_decimal_allowed: z.boolean(),
    initial_value: z.string().optional(),
    min_value: z.string().optional(),
    max_value: z.string().optional(),
  }),
  element('email_text_input', { ...typed, initial_value: z.string().optional() }),
  element('url_text_input', { ...typed, initial_value: z.string().optional() }),
  element('rich_text_input', { ...typed, initial_value: z.looseObject({}).optional() }),
  element('file_input', {
    filetypes: z.array(z.string()).optional(),
    max_files: z.number().int().min(1).max(10).optional(),
  }),
] as const;
const feedbackButton = z.strictObject({
  text: plain(75),
  value: z.string().max(2000),
  accessibility_label: z.string().max(75).optional(),
});
const iconButton = element('icon_button', {
  icon: z.literal('trash'),
  text: plain(75),
  value: z.string().max(2000).optional(),
  confirm,
  accessibility_label: z.string().max(75).optional(),
  visible_to_user_ids: z.array(z.string()).optional(),
});
const feedback = element('feedback_buttons', { positive_button: feedbackButton, negative_button: feedbackButton });

const pressed = z.discriminatedUnion('type', [button, overflow, workflow, ...selects, ...pickers]);
const asked = z.discriminatedUnion('type', [...selects, ...pickers, ...inputs]);
const accessory = z.discriminatedUnion('type', [image, button, overflow, workflow, ...selects, ...pickers]);

const blocks = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('section'),
    ...blockId,
    text: text(3000).optional(),
    fields: z.array(text(2000)).min(1).max(10).optional(),
    accessory: accessory.optional(),
    expand: z.boolean().optional(),
  }),
  z.strictObject({
    type: z.literal('header'),
    ...blockId,
    text: plain(150),
    level: z.number().int().min(1).max(4).optional(),
  }),
  z.strictObject({ type: z.literal('divider'), ...blockId }),
  z.strictObject({
    type: z.literal('image'),
    ...blockId,
    image_url: url.optional(),
    slack_file: slackFile.optional(),
    alt_text: z.string().min(1).max(2000),
    title: plain(2000).optional(),
  }),
  z.strictObject({
    type: z.literal('context'),
    ...blockId,
    elements: z
      .array(z.discriminatedUnion('type', [image, plain(3000), mrkdwn(3000)]))
      .min(1)
      .max(10),
  }),
  z.strictObject({ type: z.literal('actions'), ...blockId, elements: z.array(pressed).min(1).max(25) }),
  z.strictObject({
    type: z.literal('context_actions'),
    ...blockId,
    elements: z
      .array(z.discriminatedUnion('type', [feedback, iconButton]))
      .min(1)
      .max(5),
  }),
  z.strictObject({
    type: z.literal('input'),
    ...blockId,
    label: plain(2000),
    element: asked,
    dispatch_action: z.boolean().optional(),
    hint: plain(2000).optional(),
    optional: z.boolean().optional(),
  }),
  z.strictObject({ type: z.literal('markdown'), ...blockId, text: z.string().min(1).max(12_000) }),
  z.strictObject({ type: z.literal('rich_text'), ...blockId, elements: z.array(z.looseObject({ type: z.string() })) }),
  z.strictObject({
    type: z.literal('table'),
    ...blockId,
    rows: z
      .array(
        z
          .array(z.looseObject({ type: z.enum(['raw_text', 'raw_number', 'rich_text']) }))
          .min(1)
          .max(20),
      )
      .min(1)
      .max(100),
    column_settings: z.array(z.looseObject({}).nullable()).max(20).optional(),
  }),
  z.strictObject({ type: z.literal('file'), ...blockId, external_id: z.string(), source: z.literal('remote') }),
  z.looseObject({
    type: z.literal('video'),
    ...blockId,
    title: plain(200),
    alt_text: z.string(),
    video_url: url,
    thumbnail_url: url,
  }),
  z.looseObject({ type: z.literal('plan'), ...blockId, title: z.string() }),
  z.looseObject({ type: z.literal('task_card'), ...blockId, task_id: z.string(), title: z.string() }),
]);

type KnownBlock = z.infer<typeof blocks>;

const viewShape = z.strictObject({
  type: z.enum(['modal', 'home']),
  title: plain(24).optional(),
  blocks: z.array(z.unknown()).max(100),
  close: plain(24).optional(),
  submit: plain(24).optional(),
  private_metadata: z.string().max(3000).optional(),
  callback_id: z.string().max(255).optional(),
  clear_on_close: z.boolean().optional(),
  notify_on_close: z.boolean().optional(),
  external_id: z.string().max(255).optional(),
  submit_disabled: z.boolean().optional(),
});

/** Where two things in one block, or two blocks, have the same id, and what shapes alone cannot say. */
function together(block: KnownBlock, at: string): string[] {
  const problems: string[] = [];
  const elements =
    block.type === 'actions' || block.type === 'context_actions'
      ? block.elements
      : block.type === 'section' && block.accessory
        ? [block.accessory]
        : block.type === 'input'
          ? [block.element]
          : [];
  const ids = new Set<string>();
  elements.forEach((one, index) => {
    const where = `${at}/elements/${index}`;
    if ('action_id' in one && one.action_id !== undefined) {
      if (ids.has(one.action_id))
        problems.push(`[ERROR] \`action_id\` "${one.action_id}" already exists [json-pointer:${where}/action_id]`);
      ids.add(one.action_id);
    }
    if (
      (one.type === 'static_select' || one.type === 'multi_static_select') &&
      (one.options === undefined) === (one.option_groups === undefined)
    )
      problems.push(`[ERROR] needs either options or option_groups [json-pointer:${where}]`);
  });
  if (block.type === 'section' && block.text === undefined && block.fields === undefined)
    problems.push(`[ERROR] a section needs text or fields [json-pointer:${at}]`);
  if (block.type === 'image' && (block.image_url === undefined) === (block.slack_file === undefined))
    problems.push(`[ERROR] needs either image_url or slack_file [json-pointer:${at}]`);
  return problems;
}

function told(issues: readonly z.core.$ZodIssue[], at: string): string[] {
  return issues.map((issue) => `[ERROR] ${issue.message} [json-pointer:${[at, ...issue.path.map(String)].join('/')}]`);
}

/** The problems of a list of blocks; none if Slack would take them. A message holds 50, a view 100. */
export function checkBlocks(list: readonly unknown[], where: 'message' | 'view' = 'message'): string[] {
  const problems: string[] = [];
  const max = where === 'message' ? 50 : 100;
  if (list.length > max) problems.push(`[ERROR] no more than ${max} items allowed [json-pointer:/blocks]`);
  const ids = new Set<string>();
  let markdown = 0;
  let tables = 0;
  list.forEach((raw, index) => {
    const at = `/blocks/${index}`;
    const read = blocks.safeParse(raw);
    if (!read.success) {
      problems.push(...told(read.error.issues, at));
      return;
    }
    const block = read.data;
    if (block.block_id !== undefined && ids.has(block.block_id))
      problems.push(`[ERROR] \`block_id\` "${block.block_id}" already exists [json-pointer:${at}/block_id]`);
    if (block.block_id !== undefined) ids.add(block.block_id);
    if (block.type === 'markdown') markdown += block.text.length;
    if (block.type === 'table') tables += 1;
    problems.push(...together(block, at));
  });
  if (markdown > 12_000)
    problems.push('[ERROR] all markdown blocks together hold no more than 12000 characters [json-pointer:/blocks]');
  if (tables > 1) problems.push('[ERROR] only_one_table_allowed [json-pointer:/blocks]');
  return problems;
}

/** The problems of a modal or an App Home; docs.slack.dev/reference/views. */
export function checkView(view: unknown): string[] {
  const read = viewShape.safeParse(view);
  if (!read.success) return told(read.error.issues, '');
  const problems = checkBlocks(read.data.blocks, 'view');
  if (read.data.type === 'modal' && read.data.title === undefined)
    problems.push('[ERROR] missing required field: title [json-pointer:/title]');
  const asks = read.data.blocks.some((one) => blocks.safeParse(one).data?.type === 'input');
  if (read.data.type === 'modal' && asks && read.data.submit === undefined)
    problems.push('[ERROR] a modal with an input block needs submit [json-pointer:/submit]');
  return problems;
}
