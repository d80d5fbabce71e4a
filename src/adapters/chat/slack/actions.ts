/**
 * What a card offers to do, as buttons, selects and menus, and read back from a message.
 * https://docs.slack.dev/reference/block-kit/block-elements
 */

import type { ActionsBlock, Button, KnownBlock, Overflow, PlainTextOption, StaticSelect } from '@slack/types';
import { type Action, type Choice, codeBlock, plain } from '../../../bot/card.ts';
import { isObject } from './json.ts';
import { toMrkdwn } from './mrkdwn.ts';
import { beginning, splitMrkdwn } from './split.ts';
import { LIMITS, oneLine, plainText, section } from './text-objects.ts';

const BUTTONS = 5;

/** Begins the action_id of everything that runs a command. */
const RUN = 'run:';

/** The action_id of everything that runs a command. */
export const RUNS = new RegExp(`^${RUN}`);

/** A new action_id each time: they must differ within a message or a view. */
export type Ids = () => string;

/** Counts; one for each message or view. */
export function newIds(): Ids {
  let next = 0;
  return () => `${RUN}${next++}`;
}

/** The commands that a posted message offers, in their order. */
export function actionsOf(blocks: unknown): Action[] {
  if (!Array.isArray(blocks)) return [];
  return blocks.flatMap((block: unknown) => {
    const elements = isObject(block) ? block['elements'] : undefined;
    return Array.isArray(elements) ? elements.flatMap(actionsOfElement) : [];
  });
}

function actionsOfElement(element: unknown): Action[] {
  if (!isObject(element) || !String(element['action_id']).startsWith(RUN)) return [];
  const offered: unknown = element['type'] === 'button' ? [element] : element['options'];
  if (!Array.isArray(offered)) return [];
  return offered.flatMap((one: unknown) => {
    if (!isObject(one) || typeof one['value'] !== 'string' || !isObject(one['text'])) return [];
    const style = one['style'];
    return [
      {
        label: String(one['text']['text']),
        command: one['value'],
        ...((style === 'primary' || style === 'danger') && { style }),
      },
    ];
  });
}

/**
 * Up to five buttons; of more the first four, and the rest in a menu. What is too long for a menu stays a button, what is too
 * long for a button is shown to be typed.
 */
export function actionBlocks(actions: readonly Action[], ids: Ids, address = ''): KnownBlock[] {
  const { runnable, typed } = byLength(actions);
  const stays = ({ command }: Action, index: number) => index < BUTTONS - 1 || command.length > LIMITS.optionValue;
  const rest = runnable.length > BUTTONS ? runnable.filter((action, index) => !stays(action, index)) : [];
  // A menu of one is no shorter than a button.
  const menu = rest.length > 1 ? rest : [];
  const buttons = menu.length > 0 ? runnable.filter(stays) : runnable;
  const first = buttons.findIndex(({ style }) => style === 'primary');
  const elements: Element[] = [...buttonElements(buttons, ids, first), ...menuElements('More…', menu, ids)];
  return [...rows(elements), ...typedBlocks(typed, address)];
}

/** A select for each choice. What is too long for an option is a button, what is too long for a button is shown to be typed. */
export function choiceBlocks(choices: readonly Choice[], ids: Ids, address = ''): KnownBlock[] {
  const elements: Element[] = [];
  const below: KnownBlock[] = [];
  for (const { label, options: offered } of choices) {
    const { runnable, typed } = byLength(offered);
    const short = runnable.filter(({ command }) => command.length <= LIMITS.optionValue);
    const long = runnable.filter(({ command }) => command.length > LIMITS.optionValue);
    elements.push(...selects(label, short, ids), ...buttonElements(long, ids));
    below.push(...typedBlocks(typed, address));
  }
  return [...rows(elements), ...below];
}

function byLength(actions: readonly Action[]): { runnable: Action[]; typed: Action[] } {
  const real = actions.filter(({ command }) => command.trim() !== '');
  return {
    runnable: real.filter(({ command }) => command.length <= LIMITS.buttonValue),
    typed: real.filter(({ command }) => command.length > LIMITS.buttonValue),
  };
}

type Element = Button | Overflow | StaticSelect;

function rows(elements: readonly Element[]): ActionsBlock[] {
  const out: ActionsBlock[] = [];
  for (let at = 0; at < elements.length; at += LIMITS.elements)
    out.push({ type: 'actions', elements: elements.slice(at, at + LIMITS.elements) });
  return out;
}

/** A message has one thing to do first: of several primary actions the first is shown as such. */
function buttonElements(actions: readonly Action[], ids: Ids, primary = -1): Button[] {
  return actions.map((action, index) => ({
    type: 'button',
    text: plainText(oneLine(action.label) || action.command, LIMITS.button),
    action_id: ids(),
    value: action.command.toWellFormed(),
    ...(action.style === 'danger' && { style: 'danger' }),
    ...(index === primary && { style: 'primary' }),
  }));
}

function menuElements(label: string, actions: readonly Action[], ids: Ids): Element[] {
  if (actions.length === 0) return [];
  if (actions.length > LIMITS.overflow) return selects(label, actions, ids);
  return [{ type: 'overflow', action_id: ids(), options: actions.map(option) }];
}

/** A select holds a hundred; of more there are several. */
function selects(label: string, actions: readonly Action[], ids: Ids): StaticSelect[] {
  const out: StaticSelect[] = [];
  for (let at = 0; at < actions.length; at += LIMITS.options) {
    const some = actions.slice(at, at + LIMITS.options);
    const range = actions.length > LIMITS.options ? ` (${at + 1}–${at + some.length})` : '';
    out.push({
      type: 'static_select',
      action_id: ids(),
      placeholder: plainText(
        `${beginning(oneLine(label) || 'Choose…', LIMITS.placeholder - range.length)}${range}`,
        LIMITS.placeholder,
      ),
      options: some.map(option),
    });
  }
  return out;
}

function option(action: Action): PlainTextOption {
  return {
    text: plainText(oneLine(action.label) || action.command, LIMITS.option),
    value: action.command.toWellFormed(),
  };
}

function typedBlocks(actions: readonly Action[], address: string): KnownBlock[] {
  return actions.flatMap(({ label, command }) => {
    const text = toMrkdwn(`**${plain(oneLine(label))}** (type this):\n\n${codeBlock(address + command)}`);
    return splitMrkdwn(text, LIMITS.section).map(section);
  });
}
