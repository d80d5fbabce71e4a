/**
 * A form for what a command still needs to be told. Limits: https://docs.slack.dev/reference/block-kit,
 * https://docs.slack.dev/surfaces/modals
 */

import type { App, ViewOutput } from '@slack/bolt';
import type { InputBlock, KnownBlock, ModalView, PlainTextOption } from '@slack/types';
import type { Offer } from '../../../bot/args.ts';
import { Failure, failureText } from '../../../bot/errors.ts';
import type { Filled, Form, FormField } from '../../../bot/form.ts';
import { toSections } from './blocks.ts';
import { hearQuietly } from './place.ts';
import type { Listens, SlackContext } from './ports.ts';
import { bare, slackCode } from './refusal.ts';
import { LIMITS, plainText } from './text-objects.ts';

const FORM = 'command-form';
/** Begins the action_id of every input. */
const INPUT = 'fill:';
const TITLE = 24;
const LABEL = 2_000;
const HINT = 2_000;
const INPUT_LENGTH = 3_000;
const PROBLEM = 1_000;

/** What a form remembers of where it was asked for: the view carries it. */
interface Origin {
  readonly commandId: string;
  readonly channel: string;
  readonly thread?: string;
}

export interface FormRequest {
  /** Lives for three seconds. */
  readonly triggerId: string;
  /** As Slack sent it. */
  readonly text: string;
  readonly userId: string;
  readonly channel: string;
  readonly thread?: string;
}

/** Opens a form if the text is a command that lacks arguments. False if there is none to open, or it was too late. */
export async function openForm(request: FormRequest, context: SlackContext): Promise<boolean> {
  const { triggerId, text, userId, channel, thread } = request;
  const { surfaces, people, api, log, chat } = context;
  try {
    const form = await surfaces.form(text, await people.person(userId), channel);
    if (!form) return false;
    const origin = { commandId: form.commandId, channel, ...(thread === undefined ? {} : { thread }) };
    await api.web.views.open({ trigger_id: triggerId, view: formView(form, origin) });
    return true;
  } catch (error) {
    // The text says what is missing, too. Usual reasons: expired_trigger_id, or the event is handled again after a crash.
    log.info({ chat, problem: slackCode(error), err: bare(error) }, 'Slack form not opened');
    return false;
  }
}

/** What is chosen from, and what is filled in. */
export const listenToForms: Listens = (app: App, context) => {
  app.options<'block_suggestion'>(
    { type: 'block_suggestion', action_id: new RegExp(`^${INPUT}`) },
    async ({ ack, body }) => {
      const origin = originOf(body.view?.private_metadata);
      const field = body.action_id.slice(INPUT.length);
      const given = body.view ? valuesOf(body.view) : {};
      const offers = origin ? await suggested(origin, { field, typed: body.value, given }, body.user.id, context) : [];
      await ack({ options: optionsOf(offers).slice(0, LIMITS.options) });
    },
  );

  app.view(FORM, async ({ ack, body, view }) => {
    const origin = originOf(view.private_metadata);
    const userId = body.user.id;
    const filled = origin && (await filledIn(origin, view, userId, context));
    if (!origin || !filled) return await ack();
    if ('problems' in filled) return await ack({ response_action: 'errors', errors: beside(filled.problems, view) });
    await ack();
    const { commandId: _, ...place } = origin;
    await hearQuietly({ userId, ...place, text: filled.line, messageId: `form:${view.id}`, via: 'button' }, context);
  });
};

async function suggested(
  { commandId, channel }: Origin,
  asked: { readonly field: string; readonly typed: string; readonly given: Filled },
  userId: string,
  { surfaces, people }: SlackContext,
): Promise<readonly Offer[]> {
  return await surfaces.options({ ...asked, commandId, person: await people.person(userId), room: channel });
}

async function filledIn(
  { commandId, channel }: Origin,
  view: ViewOutput,
  userId: string,
  { surfaces, people }: SlackContext,
): ReturnType<SlackContext['surfaces']['fill']> {
  try {
    return await surfaces.fill(commandId, valuesOf(view), await people.person(userId), channel);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { problems: { '': failureText(error).replace(/[`*\\]/g, '') } };
  }
}

/** Problems by block; what belongs to none stands at the first. */
function beside(problems: Readonly<Record<string, string>>, { blocks }: ViewOutput): Record<string, string> {
  const inputs = blocks.flatMap(({ type, block_id: id }) => (type === 'input' && id !== undefined ? [id] : []));
  const [first = ''] = inputs;
  const placed = Object.entries(problems).map(([name, text]) => [
    inputs.includes(name) ? name : first,
    text.slice(0, PROBLEM),
  ]);
  return Object.fromEntries(placed);
}

/** https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload */
function valuesOf({ state }: ViewOutput): Filled {
  const values: Record<string, string | boolean> = {};
  for (const [name, inputs] of Object.entries(state.values)) {
    for (const input of Object.values(inputs)) {
      const value = input.type === 'checkboxes' ? (input.selected_options ?? []).length > 0 : undefined;
      values[name] = value ?? input.selected_option?.value ?? input.value ?? '';
    }
  }
  return values;
}

function formView(form: Form, origin: Origin): ModalView {
  return {
    type: 'modal',
    callback_id: FORM,
    title: plainText(form.title.charAt(0).toUpperCase() + form.title.slice(1), TITLE),
    submit: plainText('Run', TITLE),
    close: plainText('Cancel', TITLE),
    private_metadata: JSON.stringify(origin),
    blocks: [...toSections(form.summary, 1), ...form.fields.slice(0, LIMITS.viewBlocks - 1).map(inputOf)],
  };
}

function inputOf(field: FormField): KnownBlock {
  const { name, label, required, hint } = field;
  const block: InputBlock = {
    type: 'input',
    block_id: name,
    label: plainText(label, LABEL),
    optional: !required,
    element: elementOf(field),
  };
  return hint === undefined ? block : { ...block, hint: plainText(hint, HINT) };
}

function elementOf({ name, label, kind, value, values = [] }: FormField): InputBlock['element'] {
  const action_id = INPUT + name;
  const options = kind === 'choice' ? optionsOf(values.map(asOffer)) : [];
  const [chosen] = value === undefined ? [] : optionsOf([asOffer(value)]);
  if (kind === 'flag') {
    const yes = optionsOf([{ value: 'true', label }]);
    return { type: 'checkboxes', action_id, options: yes, ...(value === undefined ? {} : { initial_options: yes }) };
  }
  // Also where others can be given: what is typed is among what is offered then.
  if (options.length > LIMITS.options || kind === 'offered') {
    const initial = chosen ? { initial_option: chosen } : {};
    const placeholder = plainText(kind === 'offered' ? 'Choose, or type another' : 'Choose', LIMITS.placeholder);
    return { type: 'external_select', action_id, placeholder, min_query_length: 0, ...initial };
  }
  if (options.length > 0) {
    const initial = options.find((option) => option.value === value);
    return { type: 'static_select', action_id, options, ...(initial ? { initial_option: initial } : {}) };
  }
  return {
    type: 'plain_text_input',
    action_id,
    max_length: INPUT_LENGTH,
    ...(kind === 'text' ? { multiline: true } : {}),
    ...(value === undefined ? {} : { initial_value: value.slice(0, INPUT_LENGTH) }),
  };
}

/** Values that are too long for a select can only be typed. */
function optionsOf(offers: readonly Offer[]): PlainTextOption[] {
  return offers
    .filter(({ value }) => value !== '' && value.length <= LIMITS.optionValue)
    .map(({ value, label }) => ({ text: plainText(label, LIMITS.option), value }));
}

function asOffer(value: string): Offer {
  return { value, label: value };
}

function originOf(metadata: string | undefined): Origin | undefined {
  let value: unknown;
  try {
    value = JSON.parse(metadata ?? '');
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { commandId, channel, thread } = { commandId: undefined, channel: undefined, thread: undefined, ...value };
  if (!isText(commandId) || !isText(channel)) return undefined;
  return { commandId, channel, ...(isText(thread) ? { thread } : {}) };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
