/** What a program is told, as lines: JSON objects, or text that reads well in the log of a pipeline. Pure. */

import type { Content } from './card.ts';

/**
 * How it ended. `pending`: it waits for somebody's approval. `interrupted`: it was cancelled, or cut off when the robot was stopped.
 * `unknown`: it goes on, but the answer ends here.
 */
export type ApiOutcome = 'succeeded' | 'failed' | 'refused' | 'interrupted' | 'pending' | 'unknown';

export type ApiEvent =
  /** How far it is. Under the same key, a newer one takes the place of an older one. */
  | { readonly type: 'progress'; readonly key: string; readonly text: string }
  | { readonly type: 'answer'; readonly text: string }
  /** As in docs/reference/errors.md. */
  | { readonly type: 'error'; readonly code: string; readonly text: string; readonly next: string }
  /** Always the last one. The request is there once the command was taken. */
  | { readonly type: 'end'; readonly outcome: ApiOutcome; readonly request?: string; readonly detail?: string };

export type ApiFormat = 'jsonl' | 'text';

/** Whether what is said tells only how far something is. */
export function isProgress(content: Content): boolean {
  return typeof content !== 'string' && content.tone === 'progress';
}

/** `Accept: application/jsonl` asks for JSON lines, also by the other names that they go by; everything else gets text. */
export function formatOf(accept: string | undefined): ApiFormat {
  return /\bapplication\/(?:jsonl|x-ndjson|ndjson|json)\b/i.test(accept ?? '') ? 'jsonl' : 'text';
}

/** Makes the lines of one answer, with their line ends. A line of text stands there once, however often a card that has it is shown. */
export function lineWriter(format: ApiFormat): (event: ApiEvent) => string {
  if (format === 'jsonl') return (event) => `${JSON.stringify(event)}\n`;
  const shown = new Map<string, ReadonlySet<string>>();
  return (event) => {
    switch (event.type) {
      case 'progress': {
        const lines = linesOf(event.text);
        const before = shown.get(event.key);
        shown.set(event.key, new Set(lines));
        return asLines(lines.filter((line) => !before?.has(line)));
      }
      case 'answer':
        return asLines(linesOf(event.text));
      case 'error':
        return asLines(linesOf(`error: ${event.text} ${event.next} (${event.code})`));
      case 'end':
        return `outcome: ${event.outcome}\n`;
    }
  };
}

/** Text for a terminal or a log, whatever stood in it: no control characters, nothing that nobody sees. */
export function harmless(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '');
}

/** Only the end says `outcome: `: where an answer is cut off, the last line that came must not look like one. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => (line.startsWith('outcome:') ? ` ${line}` : line));
}

function asLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
