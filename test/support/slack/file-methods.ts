/** files.*: docs.slack.dev/messaging/working-with-files, the three steps of an upload. */

import { type Context, checkedBlocks, type Method, method, writable } from './method.ts';
import { args } from './schema.ts';
import { fileObject } from './shapes.ts';
import { newId, SlackError, type StoredFile } from './workspace.ts';

const types: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  svg: 'image/svg+xml',
  json: 'application/json',
  csv: 'text/csv',
  md: 'text/markdown',
  pdf: 'application/pdf',
};

/** From the ending of a name. */
export function mimetype(name: string): string {
  return types[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'text/plain';
}

const uploadUrl = method(args.uploadUrl, (sent, context) => {
  const { workspace } = context;
  if (sent.snippet_type !== undefined && sent.length > 1_000_000) throw new SlackError('snippet_too_large');
  const file: StoredFile = {
    id: newId('F'),
    name: sent.filename,
    title: sent.filename,
    mimetype: mimetype(sent.filename),
    altText: sent.alt_txt ?? sent.alt_text,
    user: workspace.bot.id,
    created: workspace.seconds(),
    declaredLength: sent.length,
    content: undefined,
    shares: [],
  };
  workspace.files.set(file.id, file);
  return { upload_url: `${context.url()}/upload/v1/${file.id}`, file_id: file.id };
});

function uploaded(context: Context, id: string): StoredFile {
  const file = context.workspace.files.get(id);
  if (!file?.content) throw new SlackError('file_not_found');
  return file;
}

const completeUpload = method(args.completeUpload, (sent, context) => {
  const { workspace } = context;
  const files = sent.files.map((one) => {
    const file = uploaded(context, one.id);
    if (one.title !== undefined) file.title = one.title;
    return file;
  });
  const places = sent.channels ?? (sent.channel_id === undefined ? [] : [sent.channel_id]);
  for (const place of places) {
    const channel = writable(context, place);
    const blocks = checkedBlocks(context, sent.blocks ?? []);
    const message = workspace.addMessage({
      channel: channel.id,
      user: workspace.bot.id,
      botId: workspace.bot.botId,
      text: sent.initial_comment ?? '',
      blocks,
      subtype: 'file_share',
      threadTs: sent.thread_ts,
      files: files.map((file) => file.id),
      args: sent,
    });
    for (const file of files) file.shares.push({ channel: channel.id, ts: message.ts });
    context.events.posted(message);
  }
  return { files: files.map((file) => fileObject(file, context.url())) };
});

const fileInfo = method(args.fileInfo, (sent, context) => {
  const file = context.workspace.files.get(sent.file);
  if (!file) throw new SlackError('file_not_found');
  return { file: fileObject(file, context.url()), comments: [], response_metadata: { next_cursor: '' } };
});

export const fileMethods: Readonly<Record<string, Method>> = {
  'files.getUploadURLExternal': uploadUrl,
  'files.completeUploadExternal': completeUpload,
  'files.info': fileInfo,
};
