/**
 * Draws what people see as one page without anything from outside: a channel with its messages and threads, ephemeral messages, a
 * modal, an App Home. Drawn by this project, after Block Kit's description: it is not Slack's own look.
 */

import { renderAttachment, renderBlocks } from './render-blocks.ts';
import { emojiSign, escapeHtml, mrkdwnHtml } from './render-mrkdwn.ts';
import { drawSigns } from './render-signs.ts';
import { type Block, block as blockSchema } from './schema.ts';
import type { Channel, Ephemeral, Fields, Message, View, Workspace } from './workspace.ts';

export type Scene =
  | {
      readonly kind: 'channel';
      readonly channel: Channel;
      /** Only these; else all, with threads below their first message. */
      readonly messages?: readonly Message[];
      /** Also what only this person sees. */
      readonly seenBy?: string;
    }
  | { readonly kind: 'modal'; readonly view: View }
  | { readonly kind: 'home'; readonly view: View };

export interface PageOptions {
  /** Pixels; 760. */
  readonly width?: number;
  /** IANA name; UTC. */
  readonly timeZone?: string;
}

const style = `
*{box-sizing:border-box}
body{margin:0;background:#fff;color:#1d1c1d;font:15px/1.46 -apple-system,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif}
main{width:var(--width);margin:0 auto;padding:12px 0}
a{color:#1264a3;text-decoration:none}
.bar{font-weight:700;font-size:16px;padding:4px 20px 12px;border-bottom:1px solid #e8e8e8;margin-bottom:8px}
.bar small{font-weight:400;color:#616061;margin-left:8px}
.message{display:flex;gap:10px;padding:8px 20px}
.thread{margin:0 20px 6px 64px;border-left:2px solid #e8e8e8}
.thread .message{padding:4px 0 4px 12px}
.thread .avatar{width:24px;height:24px;font-size:12px}
.only{background:#f8f8f8}
.avatar{flex:none;width:36px;height:36px;border-radius:6px;color:#fff;font-weight:700;display:flex;align-items:center;justify-content:center;font-size:16px}
.content{flex:1;min-width:0;overflow-wrap:anywhere}
.name{font-weight:700}
.app{background:#e8e8e8;border-radius:2px;font-size:10px;color:#616061;padding:1px 3px;margin-left:5px;vertical-align:1px}
.time,.edited,.note{color:#616061;font-size:12px;margin-left:6px}
.note{margin:0 0 2px}
.block{margin:4px 0}
h3{font-size:18px;margin:6px 0 2px;line-height:1.3}
hr{border:0;border-top:1px solid #ddd;margin:8px 0}
.section{display:flex;gap:16px;align-items:flex-start}
.section .body{flex:1;min-width:0}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:6px 16px;margin-top:4px}
.actions{display:flex;flex-wrap:wrap;gap:8px;margin-top:6px;align-items:center}
.button{display:inline-block;border:1px solid #bbb;border-radius:4px;padding:3px 12px;font-weight:700;font-size:13px;background:#fff;white-space:nowrap}
.button.primary{background:#007a5a;border-color:#007a5a;color:#fff}
.button.danger{color:#c01343;border-color:#e01e5a}
.button.icon{font-weight:400;color:#616061}
.button.overflow{padding:3px 9px}
.select,.input{display:inline-flex;align-items:center;justify-content:space-between;gap:10px;border:1px solid #bbb;border-radius:4px;padding:3px 10px;font-size:13px;min-width:150px;background:#fff}
.select em,.input em,label em{color:#8d8d8d;font-style:normal;font-weight:400}
.caret{border:4px solid transparent;border-top-color:#616061;margin-top:4px}
.field .select,.field .input{display:flex;width:100%;min-height:36px;font-size:15px}
.field .tall{min-height:84px;align-items:flex-start}
.field{margin:12px 0}
label{display:block;font-weight:700;margin-bottom:4px}
.wrong .select,.wrong .input{border-color:#e01e5a}
.error{color:#c01343;font-size:13px;margin-top:3px}
.hint,.context,.title{color:#616061;font-size:12px}
.context{display:flex;flex-wrap:wrap;gap:8px;align-items:center}
.choice{display:block}
.image.wide{display:block;max-width:440px;max-height:320px;border-radius:6px;margin-top:4px}
.image.side{width:72px;height:72px;object-fit:cover;border-radius:6px}
.image.small{width:18px;height:18px;border-radius:3px}
.image.none{background:#f4f4f4;border:1px solid #ddd;color:#616061;font-size:12px;padding:6px 10px;width:auto;height:auto;border-radius:6px}
.image.small.none{padding:0 4px}
svg.sign{width:1.1em;height:1.1em;vertical-align:-0.18em}
code{background:#f6f6f6;border:1px solid #e2e2e2;border-radius:3px;color:#c01343;padding:1px 3px;font:12px "DejaVu Sans Mono",monospace}
pre{background:#f8f8f8;border:1px solid #e2e2e2;border-radius:4px;padding:8px;margin:4px 0;font:12px/1.5 "DejaVu Sans Mono",monospace;white-space:pre-wrap}
pre code{border:0;background:none;color:inherit;padding:0}
blockquote{border-left:4px solid #ddd;margin:4px 0;padding-left:10px}
ul,ol{margin:2px 0;padding-left:24px}
.markdown p{margin:0 0 6px}
table{border-collapse:collapse;font-size:13px;margin:4px 0}
td,th{border:1px solid #ddd;padding:4px 10px;text-align:left}
tr:first-child td{font-weight:700;background:#f8f8f8}
.mention{background:#e8f5fa;color:#1264a3;border-radius:3px;padding:0 2px}
.attachment{border-left:4px solid #ddd;padding:2px 0 2px 12px;margin:4px 0}
.reactions{display:flex;gap:4px;margin-top:4px}
.reactions span{background:#f4f4f4;border-radius:12px;font-size:12px;padding:2px 8px}
.file{display:inline-block;border:1px solid #ddd;border-radius:6px;padding:8px 12px;margin:4px 6px 0 0;font-size:13px}
.task{font-size:14px}
.modal{width:520px;margin:20px auto;border:1px solid #ddd;border-radius:8px;box-shadow:0 6px 24px #0002;background:#fff}
.modal header{padding:16px 24px;font-size:20px;font-weight:700;display:flex;justify-content:space-between}
.modal header span{color:#616061;font-weight:400}
.modal .blocks{padding:0 24px}
.modal footer{padding:16px 24px;display:flex;gap:10px;justify-content:flex-end}
.modal footer .button{padding:7px 14px;font-size:15px}
.home{padding:0 20px}
.tabs{display:flex;gap:16px;padding:0 20px;border-bottom:1px solid #e8e8e8;margin-bottom:10px;font-size:13px;color:#616061}
.tabs b{color:#1d1c1d;border-bottom:2px solid #1d1c1d;padding-bottom:6px}
`;

const colours = ['#4a154b', '#1264a3', '#2b7a5b', '#b4541a', '#6b4fbb', '#8a2c4b'];

function colour(name: string): string {
  let sum = 0;
  for (const letter of name) sum += letter.codePointAt(0) ?? 0;
  return colours[sum % colours.length] ?? '#4a154b';
}

function avatar(name: string, icon: string | undefined): string {
  const sign = icon === undefined ? undefined : emojiSign(icon.replaceAll(':', ''));
  const emoji = sign !== undefined && !sign.startsWith(':') ? sign : undefined;
  const back = emoji === undefined ? colour(name) : '#f4f4f4';
  return `<div class="avatar" style="background:${back}">${escapeHtml(emoji ?? (name.charAt(0).toUpperCase() || '?'))}</div>`;
}

function time(ts: string, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone }).format(Number(ts) * 1000);
}

function body(
  workspace: Workspace,
  message: { text: string; blocks: readonly Block[]; attachments: readonly Fields[]; state: Message['state'] },
): string {
  const attachments = message.attachments.map((one) =>
    renderAttachment(workspace, one, blockSchema.array().safeParse(one['blocks']).data ?? []),
  );
  const blocks =
    message.blocks.length > 0
      ? renderBlocks(workspace, message.blocks, { state: message.state })
      : `<div>${mrkdwnHtml(workspace, message.text)}</div>`;
  return blocks + attachments.join('');
}

function files(workspace: Workspace, message: Message): string {
  const drawn = message.files
    .flatMap((id) => workspace.files.get(id) ?? [])
    .map((file) => {
      if (file.mimetype.startsWith('image/') && file.content)
        return `<div class="title">${escapeHtml(file.title)}</div><img class="image wide" alt="${escapeHtml(file.altText ?? file.title)}" src="data:${escapeHtml(file.mimetype)};base64,${file.content.toString('base64')}">`;
      return `<div class="file">📄 <b>${escapeHtml(file.title)}</b><br><span class="hint">${escapeHtml(file.name)}</span></div>`;
    });
  return drawn.join('');
}

function messageHtml(workspace: Workspace, message: Message, timeZone: string): string {
  const person = workspace.people.get(message.user);
  const name = message.username ?? person?.displayName ?? message.user;
  const reactions = [...message.reactions].map(
    ([emoji, users]) => `<span>${escapeHtml(emojiSign(emoji))} ${users.length}</span>`,
  );
  return `<div class="message">${avatar(name, message.iconEmoji)}<div class="content"><span class="name">${escapeHtml(name)}</span>${
    message.botId === undefined ? '' : '<span class="app">APP</span>'
  }<span class="time">${time(message.ts, timeZone)}</span>${body(workspace, message)}${files(workspace, message)}${
    message.edited && message.botId === undefined ? '<span class="edited">(edited)</span>' : ''
  }${reactions.length > 0 ? `<div class="reactions">${reactions.join('')}</div>` : ''}</div></div>`;
}

function ephemeralHtml(workspace: Workspace, message: Ephemeral, timeZone: string): string {
  const name = workspace.bot.displayName;
  return `<div class="message only">${avatar(name, undefined)}<div class="content"><div class="note">Only visible to you</div><span class="name">${escapeHtml(
    name,
  )}</span><span class="app">APP</span><span class="time">${time(message.ts, timeZone)}</span>${body(workspace, message)}</div></div>`;
}

function channelHtml(workspace: Workspace, scene: Extract<Scene, { kind: 'channel' }>, timeZone: string): string {
  const { channel } = scene;
  const shown = (scene.messages ?? workspace.messages.get(channel.id) ?? []).filter((one) => !one.deleted);
  const roots = shown.filter(
    (one) => one.threadTs === undefined || one.threadTs === one.ts || !shown.some((other) => other.ts === one.threadTs),
  );
  const only = workspace.ephemerals.filter(
    (one) => one.user === scene.seenBy && one.channel === channel.id && !one.deleted,
  );
  const parts = roots.map((root) => {
    const replies = shown.filter((one) => one !== root && one.threadTs === root.ts);
    const thread = replies.map((one) => messageHtml(workspace, one, timeZone)).join('');
    const html = messageHtml(workspace, root, timeZone) + (thread === '' ? '' : `<div class="thread">${thread}</div>`);
    return { ts: root.ts, html };
  });
  parts.push(...only.map((one) => ({ ts: one.ts, html: ephemeralHtml(workspace, one, timeZone) })));
  parts.sort((a, b) => Number(a.ts) - Number(b.ts));
  const partner = channel.kind === 'im' ? workspace.bot.displayName : undefined;
  const mark = channel.kind === 'private' ? '🔒 ' : '# ';
  const title = partner === undefined ? `${mark}${escapeHtml(channel.name)}` : escapeHtml(partner);
  const topic = channel.topic === '' ? '' : `<small>${escapeHtml(channel.topic)}</small>`;
  return `<div class="bar">${title}${topic}</div>${parts.map((one) => one.html).join('\n')}`;
}

function label(value: unknown, otherwise: string): string {
  const text = typeof value === 'object' && value !== null && 'text' in value ? value.text : undefined;
  return escapeHtml(typeof text === 'string' ? text : otherwise);
}

function modalHtml(workspace: Workspace, view: View): string {
  const submit =
    view.body['submit'] === undefined
      ? ''
      : `<span class="button primary">${label(view.body['submit'], 'Submit')}</span>`;
  return `<div class="modal"><header>${label(view.body['title'], '')}<span>✕</span></header><div class="blocks">${renderBlocks(
    workspace,
    view.blocks,
    {
      state: view.state,
      errors: view.errors,
    },
  )}</div><footer><span class="button">${label(view.body['close'], 'Cancel')}</span>${submit}</footer></div>`;
}

/** One page with the scenes below each other. */
export function renderPage(workspace: Workspace, scenes: readonly Scene[], options: PageOptions = {}): string {
  const zone = options.timeZone ?? 'UTC';
  const drawn = scenes.map((scene) => {
    if (scene.kind === 'channel') return channelHtml(workspace, scene, zone);
    if (scene.kind === 'modal') return modalHtml(workspace, scene.view);
    const blocks = renderBlocks(workspace, scene.view.blocks, { state: scene.view.state });
    return `<div class="bar">${escapeHtml(workspace.bot.displayName)}</div><div class="tabs"><b>Home</b><span>Messages</span></div><div class="home">${blocks}</div>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(workspace.teamName)}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<style>:root{--width:${options.width ?? 760}px}${style}</style></head>
<body><main>${drawn.map((one) => `<section class="scene">${drawSigns(one)}</section>`).join('\n')}</main></body></html>
`;
}
