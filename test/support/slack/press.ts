/**
 * What people press, choose, type and submit: block_actions, block_suggestion, view_submission, view_closed and slash commands,
 * as docs.slack.dev/reference/interaction-payloads shows them, and what Slack does with the answers.
 */

import type { Attempt } from './delivery.ts';
import { type Context, list, record, records, string } from './method.ts';
import type { Where, Who } from './person.ts';
import type { ResponseUrls } from './responses.ts';
import { anyFields, type Block, block as blockSchema, optionsAnswer, response, viewAnswer } from './schema.ts';
import { messageObject, viewObject } from './shapes.ts';
import { newTrigger, openView, updateView } from './view-methods.ts';
import type { Ephemeral, Fields, Message, Person, View } from './workspace.ts';

/** Whatever carries buttons. */
export type Surface = Message | Ephemeral | View;

export interface Choice {
  readonly text: string;
  readonly value: string;
}

/** What became of a submission. */
export interface Submitted {
  readonly attempt: Attempt;
  /** `block_id` → message, where the app was not content. */
  readonly errors: Readonly<Record<string, string>>;
}

interface Found {
  readonly block: Block;
  readonly element: Fields;
  readonly type: string;
  readonly actionId: string;
  /** What a person reads on it or before it. */
  readonly label: string;
}

function shown(value: unknown): string {
  const text = record(value)?.['text'];
  return typeof text === 'string' ? text : '';
}

function isView(surface: Surface): surface is View {
  return 'rootId' in surface;
}

function isEphemeral(surface: Surface): surface is Ephemeral {
  return 'by' in surface;
}

/** Everything in blocks that somebody may press, choose from or type into. */
export function controls(blocks: readonly Block[]): Found[] {
  return blocks.flatMap((block) => {
    const inside = [...list(block['elements']), block['accessory'], block['element']];
    return inside.flatMap((value) => {
      const element = record(value);
      const actionId = string(element?.['action_id']);
      if (!element || actionId === '') return [];
      const label =
        shown(element['text']) || shown(block['label']) || shown(element['placeholder']) || shown(block['text']);
      return [{ block, element, type: string(element['type']), actionId, label }];
    });
  });
}

function allBlocks(surface: Surface): Block[] {
  if (isView(surface)) return surface.blocks;
  const attached = surface.attachments.flatMap((one) => blockSchema.array().safeParse(one['blocks']).data ?? []);
  return [...surface.blocks, ...attached];
}

function find(surface: Surface, which: string, types: (type: string) => boolean): Found {
  const all = controls(allBlocks(surface)).filter((one) => types(one.type));
  const found =
    all.find((one) => one.actionId === which) ??
    all.find((one) => one.label === which) ??
    all.find((one) => one.block.block_id === which) ??
    all.find((one) => one.type === 'feedback_buttons' && feedbackPart(one, which) !== undefined);
  if (!found)
    throw new Error(
      `nothing called «${which}» is there, only: ${all.map((one) => `${one.label} (${one.actionId})`).join(', ') || 'nothing'}`,
    );
  return found;
}

function feedbackPart(found: Found, label: string): Fields | undefined {
  return [found.element['positive_button'], found.element['negative_button']]
    .map(record)
    .find((one) => shown(one?.['text']) === label);
}

function optionsOf(element: Fields): Fields[] {
  const groups = records(element['option_groups']);
  return [element['options'], ...groups.map((group) => group['options'])].flatMap(records);
}

function fits(option: Fields, wanted: string): boolean {
  return shown(option['text']) === wanted || option['value'] === wanted;
}

function picked(from: readonly Fields[], wanted: string): Fields {
  const option = from.find((one) => fits(one, wanted));
  if (!option) throw new Error(`no option «${wanted}», only: ${from.map((one) => shown(one['text'])).join(', ')}`);
  return option;
}

export function pressActions(context: Context, responses: ResponseUrls) {
  const { workspace, dispatcher } = context;

  function common(person: Person): Fields {
    return {
      team: { id: workspace.teamId, domain: workspace.domain },
      user: { id: person.id, username: person.name, name: person.name, team_id: person.team },
      api_app_id: workspace.appId,
      token: workspace.tokens.verification,
      is_enterprise_install: false,
      enterprise: null,
    };
  }

  function place(person: Person, surface: Surface): Fields {
    if (isView(surface))
      return {
        container: { type: 'view', view_id: surface.id },
        view: viewObject(workspace, surface),
      };
    const channel = workspace.channel(surface.channel);
    const ephemeral = isEphemeral(surface);
    return {
      container: {
        type: 'message',
        message_ts: surface.ts,
        channel_id: channel.id,
        is_ephemeral: ephemeral,
        ...(surface.threadTs !== undefined ? { thread_ts: surface.threadTs } : {}),
      },
      channel: {
        id: channel.id,
        name: channel.kind === 'im' ? 'directmessage' : channel.kind === 'private' ? 'privategroup' : channel.name,
      },
      ...(ephemeral ? {} : { message: messageObject(workspace, surface, context.url()) }),
      state: { values: surface.state },
      response_url: responses.create('actions', channel.id, person.id, surface),
    };
  }

  async function act(who: Who, surface: Surface, found: Found, more: Fields): Promise<Attempt> {
    const person = workspace.person(who);
    if (isView(surface) ? !surface.open : surface.deleted) throw new Error('what was to be pressed is gone');
    const payload = {
      type: 'block_actions',
      ...common(person),
      trigger_id: newTrigger(context, person.id, isView(surface) && surface.type === 'modal' ? surface : undefined),
      ...place(person, surface),
      actions: [
        {
          type: found.type,
          action_id: found.actionId,
          block_id: found.block.block_id,
          ...more,
          action_ts: workspace.newTs(),
        },
      ],
    };
    return dispatcher.interaction('interactive', payload);
  }

  /** Presses a button by what is written on it or its action_id; answers yes where Slack would ask for confirmation. */
  function press(who: Who, surface: Surface, which: string): Promise<Attempt> {
    const found = find(surface, which, (type) => type.endsWith('button') || type === 'feedback_buttons');
    const part = found.type === 'feedback_buttons' ? feedbackPart(found, which) : found.element;
    const { text, value, style, url } = part ?? found.element;
    return act(who, surface, found, {
      text,
      ...(value === undefined ? {} : { value }),
      ...(style === undefined ? {} : { style }),
      ...(url === undefined ? {} : { url }),
    });
  }

  /** Chooses from a select, an overflow menu, radio buttons or a date picker, by what an option says or its value. */
  async function choose(
    who: Who,
    surface: Surface,
    which: string,
    ...wanted: readonly [string, ...string[]]
  ): Promise<Attempt> {
    const found = find(surface, which, (type) => !type.endsWith('button') && type !== 'feedback_buttons');
    const value = await valueOf(who, surface, found, wanted);
    const { block_id: id } = found.block;
    if (id !== undefined && found.type !== 'overflow')
      surface.state[id] = { ...surface.state[id], [found.actionId]: value };
    return act(who, surface, found, value);
  }

  async function valueOf(who: Who, surface: Surface, found: Found, wanted: readonly string[]): Promise<Fields> {
    const { type, element } = found;
    const [first = ''] = wanted;
    if (type === 'external_select' || type === 'multi_external_select') {
      const all = await offered(who, surface, found, first);
      const options = wanted.map((one) => picked(all, one));
      return type === 'external_select'
        ? { type, selected_option: options[0] ?? null }
        : { type, selected_options: options };
    }
    if (type === 'static_select' || type === 'radio_buttons' || type === 'overflow')
      return { type, selected_option: picked(optionsOf(element), first) };
    if (type === 'multi_static_select' || type === 'checkboxes')
      return { type, selected_options: wanted.map((one) => picked(optionsOf(element), one)) };
    if (type === 'users_select') return { type, selected_user: workspace.person(first).id };
    if (type === 'multi_users_select') return { type, selected_users: wanted.map((one) => workspace.person(one).id) };
    if (type === 'conversations_select') return { type, selected_conversation: workspace.channel(first).id };
    if (type === 'channels_select') return { type, selected_channel: workspace.channel(first).id };
    if (type === 'datepicker') return { type, selected_date: first };
    if (type === 'timepicker') return { type, selected_time: first };
    if (type === 'datetimepicker') return { type, selected_date_time: Number(first) };
    return { type, value: first };
  }

  /** What an external select offers for what is typed into it; the options as Slack shows them. */
  async function options(who: Who, surface: Surface, which: string, query: string): Promise<Choice[]> {
    const found = find(surface, which, (type) => type.endsWith('external_select'));
    const all = await offered(who, surface, found, query);
    return all.map((one) => ({ text: shown(one['text']), value: string(one['value']) }));
  }

  async function offered(who: Who, surface: Surface, found: Found, query: string): Promise<Fields[]> {
    const person = workspace.person(who);
    const { response_url: _, state: __, ...rest } = place(person, surface);
    const attempt = await dispatcher.interaction('interactive', {
      type: 'block_suggestion',
      ...common(person),
      action_id: found.actionId,
      block_id: found.block.block_id,
      value: query,
      ...rest,
    });
    if (attempt.kind !== 'acknowledged') return [];
    const read = optionsAnswer.safeParse(attempt.response);
    if (!read.success) {
      context.problem(`options of ${found.actionId}: ${JSON.stringify(attempt.response)}`);
      return [];
    }
    const fromGroups = 'option_groups' in read.data ? read.data.option_groups.flatMap((group) => group.options) : [];
    return 'options' in read.data ? read.data.options : fromGroups;
  }

  /** Fills in inputs, by label, block_id or action_id, and submits; throws where Slack's client would not let anybody. */
  async function submit(
    view: View,
    values: Readonly<Record<string, string | readonly string[]>> = {},
  ): Promise<Submitted> {
    if (!view.open || view.type !== 'modal') throw new Error('this view is not open');
    for (const [which, wanted] of Object.entries(values)) {
      const found = find(view, which, (type) => type !== 'button');
      const { block_id: id } = found.block;
      if (id === undefined) continue;
      const value = await valueOf(view.user, view, found, typeof wanted === 'string' ? [wanted] : wanted);
      view.state[id] = { ...view.state[id], [found.actionId]: value };
    }
    for (const found of controls(view.blocks)) {
      if (found.block.type !== 'input' || found.block['optional'] === true) continue;
      const state = view.state[found.block.block_id ?? '']?.[found.actionId];
      const filled = Object.entries(state ?? {}).some(
        ([key, value]) =>
          key !== 'type' && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
      );
      if (!filled) throw new Error(`«${found.label}» must be filled in`);
    }
    const person = workspace.person(view.user);
    const attempt = await dispatcher.interaction('interactive', {
      type: 'view_submission',
      ...common(person),
      trigger_id: newTrigger(context, person.id, view),
      view: viewObject(workspace, view),
      response_urls: [],
    });
    view.errors = {};
    if (attempt.kind === 'acknowledged') applied(view, attempt.response);
    return { attempt, errors: view.errors };
  }

  function applied(view: View, answer: unknown): void {
    const given = record(answer);
    if (!given || Object.keys(given).length === 0) {
      view.open = false;
      return;
    }
    const read = viewAnswer.safeParse(given);
    if (!read.success) {
      context.problem(`a view_submission was answered with ${JSON.stringify(answer)}`);
      return;
    }
    const { data } = read;
    if (data.response_action === 'errors') view.errors = data.errors;
    if (data.response_action === 'update') updateView(context, view, data.view);
    if (data.response_action === 'push') openView(context, view.user, data.view, view);
    if (data.response_action === 'clear')
      for (const one of workspace.views.values()) if (one.rootId === view.rootId) one.open = false;
  }

  /** Closes a modal without submitting it; told only if the view asks for it. */
  async function close(view: View, all = false): Promise<void> {
    view.open = false;
    if (all) for (const one of workspace.views.values()) if (one.rootId === view.rootId) one.open = false;
    if (view.body['notify_on_close'] !== true) return;
    const person = workspace.person(view.user);
    await dispatcher.interaction('interactive', {
      type: 'view_closed',
      ...common(person),
      view: viewObject(workspace, view),
      is_cleared: all,
    });
  }

  /** Types a slash command; an acknowledgement with text or blocks is shown as Slack shows it. */
  async function slash(who: Who, where: Where, command: string, text = ''): Promise<Attempt> {
    const [person, channel] = [workspace.person(who), workspace.channel(where)];
    const attempt = await dispatcher.interaction('slash_commands', {
      token: workspace.tokens.verification,
      team_id: workspace.teamId,
      team_domain: workspace.domain,
      channel_id: channel.id,
      channel_name:
        channel.kind === 'im' ? 'directmessage' : channel.kind === 'private' ? 'privategroup' : channel.name,
      user_id: person.id,
      user_name: person.name,
      command,
      text,
      api_app_id: workspace.appId,
      is_enterprise_install: 'false',
      response_url: responses.create('commands', channel.id, person.id),
      trigger_id: newTrigger(context, person.id),
    });
    const given = attempt.kind === 'acknowledged' ? anyFields.safeParse(attempt.response).data : undefined;
    if (!given || Object.keys(given).length === 0) return attempt;
    const read = response.safeParse(given);
    if (read.success) responses.respond({ channel: channel.id, user: person.id }, read.data, 'acknowledgement');
    else context.problem(`a slash command was acknowledged with ${JSON.stringify(given)}`);
    return attempt;
  }

  return { press, choose, options, submit, close, slash };
}
