/** views.* and assistant.threads.*: docs.slack.dev/surfaces/modals, /surfaces/app-home, /ai. */

import { randomUUID } from 'node:crypto';
import { checkView } from './check-blocks.ts';
import { type Context, checkedBlocks, type Method, method, record, seen, string } from './method.ts';
import { args, block as blockSchema } from './schema.ts';
import { viewObject } from './shapes.ts';
import { type Fields, newId, SlackError, type Thread, type View } from './workspace.ts';

interface Trigger {
  readonly user: string;
  readonly expires: number;
  readonly view: View | undefined;
  used: boolean;
}

/** trigger_ids: each opens one view, within three seconds; docs.slack.dev/interactivity/handling-user-interaction. */
const triggers = new WeakMap<Context['workspace'], Map<string, Trigger>>();

function triggersOf(context: Context): Map<string, Trigger> {
  const known = triggers.get(context.workspace) ?? new Map<string, Trigger>();
  triggers.set(context.workspace, known);
  return known;
}

/** A new trigger_id of somebody, who was in `view` if they were in one. */
export function newTrigger(context: Context, user: string, view?: View): string {
  const id = `${context.workspace.seconds()}.${Math.floor(Math.random() * 1e10)}.${randomUUID().replaceAll('-', '')}`;
  triggersOf(context).set(id, { user, expires: context.workspace.now() + context.triggerMs, view, used: false });
  return id;
}

function exchanged(context: Context, id: string): Trigger {
  const trigger = triggersOf(context).get(id);
  if (!trigger) throw new SlackError('invalid_trigger_id');
  if (trigger.used) throw new SlackError('exchanged_trigger_id');
  if (context.workspace.now() > trigger.expires) throw new SlackError('expired_trigger_id');
  return trigger;
}

/** Checks a view and gives ids to its blocks. */
function checkedView(context: Context, sent: Fields, type: View['type']) {
  const problems = checkView(sent);
  if (JSON.stringify(sent).length > 250_000) throw new SlackError('view_too_large');
  if (sent['type'] !== type) problems.unshift(`[ERROR] a ${type} is wanted [json-pointer:/view/type]`);
  if (problems.length > 0) {
    context.problem(`invalid view: ${problems.join('; ')}`);
    throw new SlackError('invalid_arguments', { response_metadata: { messages: problems } });
  }
  return {
    body: sent,
    blocks: checkedBlocks(context, blockSchema.array().parse(sent['blocks']), 'view'),
    callbackId: string(sent['callback_id']),
    externalId: string(sent['external_id']),
    privateMetadata: string(sent['private_metadata']),
    hash: `${context.workspace.seconds()}.${randomUUID().slice(0, 8)}`,
  };
}

/** What the inputs of a view begin with, as its state says before anybody has typed. */
function keptState(view: View): View['state'] {
  const state: View['state'] = {};
  for (const block of view.blocks) {
    const element = record(block['element']);
    const action = element?.['action_id'];
    if (block.block_id === undefined || !element || typeof action !== 'string') continue;
    state[block.block_id] = { [action]: view.state[block.block_id]?.[action] ?? initialValue(element) };
  }
  return state;
}

function initialValue(element: Fields): Fields {
  const type = string(element['type']);
  if (type.endsWith('_select') && type.startsWith('multi_'))
    return { type, selected_options: element['initial_options'] ?? [] };
  if (type === 'checkboxes') return { type, selected_options: element['initial_options'] ?? [] };
  if (type === 'static_select' || type === 'external_select' || type === 'radio_buttons')
    return { type, selected_option: element['initial_option'] ?? null };
  if (type === 'users_select') return { type, selected_user: element['initial_user'] ?? null };
  if (type === 'conversations_select') return { type, selected_conversation: element['initial_conversation'] ?? null };
  if (type === 'channels_select') return { type, selected_channel: element['initial_channel'] ?? null };
  if (type === 'datepicker') return { type, selected_date: element['initial_date'] ?? null };
  if (type === 'timepicker') return { type, selected_time: element['initial_time'] ?? null };
  return { type, value: element['initial_value'] ?? null };
}

/** Opens a view, on top of another one if `below` is given. */
export function openView(context: Context, user: string, sent: Fields, below?: View): View {
  const { workspace } = context;
  const parts = checkedView(context, sent, 'modal');
  for (const one of workspace.views.values())
    if (one.open && parts.externalId !== '' && one.externalId === parts.externalId)
      throw new SlackError('duplicate_external_id');
  if (!below) for (const one of workspace.views.values()) if (one.user === user) one.open = false;
  const id = newId('V');
  const view: View = {
    id,
    type: 'modal',
    user,
    rootId: below?.rootId ?? id,
    previousId: below?.id,
    ...parts,
    state: {},
    errors: {},
    open: true,
    revision: 1,
  };
  view.state = keptState(view);
  workspace.views.set(id, view);
  return view;
}

/** Replaces what a view shows; what was typed into inputs with the same ids stays. */
export function updateView(context: Context, view: View, sent: Fields): void {
  Object.assign(view, checkedView(context, sent, view.type));
  view.errors = {};
  view.state = keptState(view);
  view.revision += 1;
}

const open = method(args.viewOpen, (sent, context) => {
  const trigger = exchanged(context, sent.trigger_id);
  const view = openView(context, trigger.user, sent.view);
  trigger.used = true;
  return { view: viewObject(context.workspace, view) };
});

const push = method(args.viewOpen, (sent, context) => {
  const trigger = exchanged(context, sent.trigger_id);
  if (!trigger.view?.open) throw new SlackError('not_found');
  const stack = [...context.workspace.views.values()].filter((one) => one.open && one.rootId === trigger.view?.rootId);
  if (stack.length >= 3) throw new SlackError('push_limit_reached');
  const view = openView(context, trigger.user, sent.view, trigger.view);
  trigger.used = true;
  return { view: viewObject(context.workspace, view) };
});

const update = method(args.viewUpdate, (sent, context) => {
  const all = [...context.workspace.views.values(), ...context.workspace.homes.values()];
  const view = all.find((one) =>
    sent.view_id !== undefined ? one.id === sent.view_id : one.externalId === sent.external_id,
  );
  if (!view?.open) throw new SlackError('not_found');
  if (sent.hash !== undefined && sent.hash !== view.hash) throw new SlackError('hash_conflict');
  updateView(context, view, sent.view);
  return { view: viewObject(context.workspace, view) };
});

const publish = method(args.viewPublish, (sent, context) => {
  const { workspace } = context;
  if (!workspace.people.has(sent.user_id)) throw new SlackError('user_not_found');
  const known = workspace.homes.get(sent.user_id);
  if (sent.hash !== undefined && known && sent.hash !== known.hash) throw new SlackError('hash_conflict');
  const parts = checkedView(context, sent.view, 'home');
  const id = known?.id ?? newId('V');
  const home: View = {
    id,
    type: 'home',
    user: sent.user_id,
    rootId: id,
    previousId: undefined,
    ...parts,
    state: known?.state ?? {},
    errors: {},
    open: true,
    revision: (known?.revision ?? 0) + 1,
  };
  home.state = keptState(home);
  workspace.homes.set(sent.user_id, home);
  return { view: viewObject(workspace, home) };
});

/** The conversation with the assistant: one that was opened, or one that a message began; docs.slack.dev/ai. */
function thread(context: Context, channelId: string, ts: string): Thread {
  const channel = seen(context, channelId);
  const known = context.workspace.threads.find((one) => one.channel === channel.id && one.ts === ts);
  if (known) return known;
  const first = context.workspace.message(channel.id, ts);
  if (!first) throw new SlackError('invalid_thread_ts');
  const begun: Thread = { channel: channel.id, ts, user: first.user, status: '', title: '' };
  context.workspace.threads.push(begun);
  return begun;
}

const setStatus = method(args.status, (sent, context) => {
  thread(context, sent.channel_id, sent.thread_ts).status = sent.status;
  remember(context, 'status', sent.channel_id, sent.thread_ts, sent.status, [], sent);
  return {};
});

/** Slack gives the scope for it with `agent_view` and `assistant_view`. */
function mustHaveView(context: Context, name: string): void {
  if (context.workspace.view !== 'none') return;
  context.problem(`${name}: the app has no assistant:write`);
  throw new SlackError('missing_scope', { needed: 'assistant:write', provided: 'chat:write,commands,im:history' });
}

const setTitle = method(args.title, (sent, context) => {
  mustHaveView(context, 'assistant.threads.setTitle');
  thread(context, sent.channel_id, sent.thread_ts).title = sent.title;
  remember(context, 'title', sent.channel_id, sent.thread_ts, sent.title, [], sent);
  return {};
});

/** An assistant has prompts in a thread, an agent outside; an agent's in a thread Slack takes and forgets. What it says to the other is written nowhere: refused here. */
const setPrompts = method(args.prompts, (sent, context) => {
  mustHaveView(context, 'assistant.threads.setSuggestedPrompts');
  if (sent.thread_ts === undefined) {
    seen(context, sent.channel_id);
    if (context.workspace.view === 'assistant') throw new SlackError('invalid_thread_ts');
  } else {
    thread(context, sent.channel_id, sent.thread_ts);
    if (context.workspace.view === 'agent') {
      context.problem('assistant.threads.setSuggestedPrompts: an agent has no prompts in a thread');
      return {};
    }
  }
  remember(context, 'prompts', sent.channel_id, sent.thread_ts ?? '', sent.title ?? '', sent.prompts, sent);
  return {};
});

function remember(
  context: Context,
  kind: 'status' | 'title' | 'prompts',
  channel: string,
  threadTs: string,
  told: string,
  prompts: readonly { title: string; message: string }[],
  sent: Fields,
): void {
  context.workspace.statuses.push({ kind, channel, threadTs, text: told, prompts, args: sent });
}

export const viewMethods: Readonly<Record<string, Method>> = {
  'views.open': open,
  'views.push': push,
  'views.update': update,
  'views.publish': publish,
  'assistant.threads.setStatus': setStatus,
  'assistant.threads.setTitle': setTitle,
  'assistant.threads.setSuggestedPrompts': setPrompts,
};
