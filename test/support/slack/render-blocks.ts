/** Draws Block Kit as HTML, near enough to what Slack shows for a picture in documentation. Everything from outside is escaped. */

import MarkdownIt from 'markdown-it';
import { list, record, records, string } from './method.ts';
import { escapeHtml, link, mrkdwnHtml, richTextHtml, textHtml } from './render-mrkdwn.ts';
import type { Block } from './schema.ts';
import type { Fields, Workspace } from './workspace.ts';

/** `block_id` → `action_id` → what is chosen or typed there. */
export type State = Readonly<Record<string, Readonly<Record<string, Fields>>>>;

const markdown = new MarkdownIt({ html: false, linkify: false, breaks: true }).disable('image');

/** A picture that is in the page itself: a data URL, or a file that was uploaded; else a box with its text alternative. */
function image(workspace: Workspace, element: Fields, kind: 'wide' | 'small' | 'side'): string {
  const alt = string(element['alt_text']);
  const slackFile = record(element['slack_file']);
  const url = string(element['image_url']) || string(slackFile?.['url']);
  const id = string(slackFile?.['id']) || (/\/files-pri\/(\w+)/.exec(url)?.[1] ?? '');
  const file = workspace.files.get(id);
  const source = file?.content
    ? `data:${file.mimetype};base64,${file.content.toString('base64')}`
    : /^data:image\/(png|jpeg|gif|webp|svg\+xml);base64,[\w+/=]+$/.test(url)
      ? url
      : undefined;
  if (source === undefined) return `<span class="image ${kind} none">${escapeHtml(alt)}</span>`;
  return `<img class="image ${kind}" alt="${escapeHtml(alt)}" src="${escapeHtml(source)}">`;
}

function chosen(value: Fields | undefined): string {
  const option = record(value?.['selected_option']) ?? record(list(value?.['selected_options'])[0]);
  const text = string(record(option?.['text'])?.['text']);
  return text || string(value?.['selected_date']) || string(value?.['selected_time']) || string(value?.['value']);
}

function initial(element: Fields): string {
  const option = record(element['initial_option']) ?? record(list(element['initial_options'])[0]);
  return (
    string(record(option?.['text'])?.['text']) ||
    string(element['initial_value']) ||
    string(element['initial_date']) ||
    string(element['initial_time'])
  );
}

function named(workspace: Workspace, element: Fields, state: Fields | undefined): string {
  const user = string(state?.['selected_user']) || string(element['initial_user']);
  if (user !== '') return workspace.people.get(user)?.displayName ?? user;
  const channel =
    string(state?.['selected_channel']) ||
    string(state?.['selected_conversation']) ||
    string(element['initial_channel']) ||
    string(element['initial_conversation']);
  return channel === '' ? '' : `#${workspace.channels.get(channel)?.name ?? channel}`;
}

/** A button, a select, an input… */
function control(workspace: Workspace, element: Fields, state: Fields | undefined): string {
  const type = string(element['type']);
  const placeholder = textHtml(workspace, element['placeholder']);
  const value = escapeHtml(chosen(state) || initial(element) || named(workspace, element, state));
  if (type === 'image') return image(workspace, element, 'side');
  if (type === 'button' || type === 'workflow_button')
    return `<span class="button ${escapeHtml(string(element['style']))}">${textHtml(workspace, element['text'])}</span>`;
  if (type === 'icon_button')
    return `<span class="button icon" title="${textHtml(workspace, element['text'])}">🗑</span>`;
  if (type === 'feedback_buttons')
    return [element['positive_button'], element['negative_button']]
      .map((one) => `<span class="button icon">${textHtml(workspace, record(one)?.['text'])}</span>`)
      .join('');
  if (type === 'overflow') return '<span class="button overflow">⋯</span>';
  if (type === 'checkboxes' || type === 'radio_buttons') return choices(workspace, element, state);
  if (type.endsWith('_input'))
    return `<span class="input${element['multiline'] === true ? ' tall' : ''}">${value || `<em>${placeholder}</em>`}</span>`;
  return `<span class="select">${value || `<em>${placeholder || 'Choose an option'}</em>`}<span class="caret"></span></span>`;
}

function choices(workspace: Workspace, element: Fields, state: Fields | undefined): string {
  const picked = [
    record(state?.['selected_option'] ?? element['initial_option']),
    ...list(state?.['selected_options'] ?? element['initial_options']).map(record),
  ].map((one) => one?.['value']);
  const mark = element['type'] === 'checkboxes' ? ['☐', '☑'] : ['○', '◉'];
  return records(element['options'])
    .map(
      (one) =>
        `<span class="choice">${picked.includes(one['value']) ? mark[1] : mark[0]} ${textHtml(workspace, one['text'])}</span>`,
    )
    .join('');
}

function cell(workspace: Workspace, value: unknown): string {
  const object = record(value) ?? {};
  if (object['type'] === 'rich_text')
    return list(object['elements'])
      .map((one) => richTextHtml(workspace, one))
      .join('');
  return escapeHtml(string(object['text']) || JSON.stringify(object['value'] ?? ''));
}

const taskSigns: Readonly<Record<string, string>> = { pending: '○', in_progress: '◔', complete: '✓', error: '✕' };

/** One block. */
function blockHtml(workspace: Workspace, block: Block, state: State, errors: Readonly<Record<string, string>>): string {
  const own = state[block.block_id ?? ''] ?? {};
  const stateOf = (element: Fields) => own[string(element['action_id'])];
  switch (block.type) {
    case 'header':
      return `<h3>${textHtml(workspace, block['text'])}</h3>`;
    case 'divider':
      return '<hr>';
    case 'section': {
      const accessory = record(block['accessory']);
      const text = block['text'] === undefined ? '' : `<div>${textHtml(workspace, block['text'])}</div>`;
      const fields = list(block['fields']).map((one) => `<div>${textHtml(workspace, one)}</div>`);
      const body = `${text}${fields.length > 0 ? `<div class="fields">${fields.join('')}</div>` : ''}`;
      return `<div class="section"><div class="body">${body}</div>${accessory ? control(workspace, accessory, stateOf(accessory)) : ''}</div>`;
    }
    case 'actions':
    case 'context_actions':
      return `<div class="actions">${records(block['elements'])
        .map((one) => control(workspace, one, stateOf(one)))
        .join('')}</div>`;
    case 'context':
      return `<div class="context">${records(block['elements'])
        .map((one) =>
          one['type'] === 'image' ? image(workspace, one, 'small') : `<span>${textHtml(workspace, one)}</span>`,
        )
        .join('')}</div>`;
    case 'image': {
      const title =
        block['title'] === undefined ? '' : `<div class="title">${textHtml(workspace, block['title'])}</div>`;
      return `<div>${title}${image(workspace, block, 'wide')}</div>`;
    }
    case 'input': {
      const element = record(block['element']) ?? {};
      const error = errors[block.block_id ?? ''];
      const optional = block['optional'] === true ? ' <em>(optional)</em>' : '';
      const hint = block['hint'] === undefined ? '' : `<div class="hint">${textHtml(workspace, block['hint'])}</div>`;
      const told = error === undefined ? '' : `<div class="error">${escapeHtml(error)}</div>`;
      return `<div class="field${error === undefined ? '' : ' wrong'}"><label>${textHtml(workspace, block['label'])}${optional}</label>${control(workspace, element, stateOf(element))}${told}${hint}</div>`;
    }
    case 'markdown':
      return `<div class="markdown">${markdown.render(string(block['text']))}</div>`;
    case 'rich_text':
      return `<div>${list(block['elements'])
        .map((one) => richTextHtml(workspace, one))
        .join('')}</div>`;
    case 'table':
      return `<table>${list(block['rows'])
        .map(
          (row) =>
            `<tr>${list(row)
              .map((one) => `<td>${cell(workspace, one)}</td>`)
              .join('')}</tr>`,
        )
        .join('')}</table>`;
    case 'plan':
      return `<div class="task"><b>${escapeHtml(string(block['title']))}</b></div>`;
    case 'task_card':
      return `<div class="task">${taskSigns[string(block['status'])] ?? '○'} ${escapeHtml(string(block['title']))}</div>`;
    default:
      return `<div class="context">[${escapeHtml(block.type)}]</div>`;
  }
}

/** Blocks as HTML, without a page around them. */
export function renderBlocks(
  workspace: Workspace,
  blocks: readonly Block[],
  options: { state?: State; errors?: Readonly<Record<string, string>> } = {},
): string {
  return blocks
    .map(
      (block) => `<div class="block">${blockHtml(workspace, block, options.state ?? {}, options.errors ?? {})}</div>`,
    )
    .join('\n');
}

/** A legacy attachment: a bar of its colour, and what is in it. */
export function renderAttachment(workspace: Workspace, attachment: Fields, blocks: readonly Block[]): string {
  const color = /^#?([0-9a-f]{6})$/i.exec(string(attachment['color']))?.[1];
  const named = { good: '2eb67d', warning: 'ecb22e', danger: 'e01e5a' }[string(attachment['color'])];
  const title = string(attachment['title']);
  const linked = string(attachment['title_link']);
  const body = [
    attachment['pretext'] === undefined ? '' : mrkdwnHtml(workspace, string(attachment['pretext'])),
    title === '' ? '' : `<b>${linked === '' ? escapeHtml(title) : link(linked, escapeHtml(title))}</b>`,
    attachment['text'] === undefined ? '' : mrkdwnHtml(workspace, string(attachment['text'])),
    renderBlocks(workspace, blocks),
  ].filter(Boolean);
  return `<div class="attachment" style="border-color:#${color ?? named ?? 'dddddd'}">${body.join('<br>')}</div>`;
}
