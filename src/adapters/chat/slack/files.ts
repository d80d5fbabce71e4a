/**
 * Files that belong to a message: what did not fit into it, and pictures of our own. Uploaded in the three steps that
 * https://docs.slack.dev/messaging/working-with-files names, and shared into the message's thread.
 *
 * A picture is not an image block with `slack_file`: Slack processes files after the upload has ended, at its own pace, and refuses
 * a message (`invalid_blocks`) whose file it has not looked at yet. The message would be late or lost for its picture's sake. Shared
 * after the message, the picture shows when it is ready; the card says in words what is to be seen meanwhile.
 */

import { createHash } from 'node:crypto';
import type { WebClient } from '@slack/web-api';
import type { SlackMessage } from './blocks.ts';
import { keepNewest } from './newest.ts';
import type { SlackParts } from './ports.ts';

/** Where files go: the thread is the message that they belong to. */
export interface FilePlace {
  readonly channel: string;
  readonly thread: string;
}

interface SlackUpload {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly title?: string;
  /** What a picture shows, for those who cannot see it. */
  readonly alt?: string;
}

export interface SlackFiles {
  /** Uploads what belongs to a message. The same for the same message and content is done once, however often it is asked for. */
  attach(web: WebClient, at: FilePlace, message: Pick<SlackMessage, 'files' | 'document' | 'picture'>): Promise<void>;
}

const ATTEMPTS = 2;
const TIMEOUT_MS = 60_000;
/** Uploads remembered. */
const REMEMBERED = 1_000;
const MAX_ALT = 1_000;

/** @param parts gives the texts and the pictures of our own */
export function createFiles(parts: Pick<SlackParts, 'ownFile' | 'picture'>): SlackFiles {
  const uploads = new Map<string, Promise<void>>();

  async function upload(web: WebClient, at: FilePlace, file: SlackUpload): Promise<void> {
    const nonce = nonceOf(at, file);
    const running = uploads.get(nonce);
    if (running) return await running;
    const started = send(web, at, file);
    keepNewest(uploads, nonce, started, REMEMBERED);
    try {
      await started;
    } catch (error) {
      uploads.delete(nonce);
      throw error;
    }
  }

  return {
    async attach(web, at, { files = [], document, picture }) {
      for (const { name, content } of files) await upload(web, at, { name, bytes: Buffer.from(content) });
      const text = document && (await parts.ownFile(document.path));
      if (document && text) await upload(web, at, { name: document.name, bytes: Buffer.from(text) });
      const found = picture && (await parts.picture(picture.url));
      if (!found) return;
      await upload(web, at, { name: found.name, bytes: found.bytes, title: picture.alt, alt: picture.alt });
    },
  };
}

async function send(web: WebClient, at: FilePlace, file: SlackUpload): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const id = await sendBytes(web, file);
    if (id !== undefined) {
      await web.files.completeUploadExternal({
        files: [{ id, title: file.title?.trim() || file.name }],
        channel_id: at.channel,
        thread_ts: at.thread,
      });
      return;
    }
    if (attempt === ATTEMPTS) throw new Error('Slack did not take the content of a file');
  }
}

/** The file's id; undefined if Slack did not take the content: an address is good for one attempt. */
async function sendBytes(web: WebClient, { name, bytes, alt }: SlackUpload): Promise<string | undefined> {
  const description = alt?.trim().slice(0, MAX_ALT).toWellFormed();
  const wanted = {
    filename: name,
    // Slack takes no empty file.
    length: Math.max(1, bytes.byteLength),
    // The documented name, and the SDK's. Never for a text: a file of text that has one is not shown in the channel
    // (https://github.com/slackapi/python-slack-sdk/issues/1818).
    ...(description && { alt_txt: description, alt_text: description }),
  };
  const { upload_url: url, file_id: id } = await web.files.getUploadURLExternal(wanted);
  if (url === undefined || id === undefined) throw new Error('Slack gave no address for an upload');
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes.byteLength === 0 ? '\n' : new Uint8Array(bytes),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.body?.cancel();
    return answer.ok ? id : undefined;
  } catch {
    return undefined;
  }
}

function nonceOf({ channel, thread }: FilePlace, { name, bytes }: SlackUpload): string {
  return createHash('sha256').update(`${channel} ${thread} ${name}\n`).update(bytes).digest('hex');
}
