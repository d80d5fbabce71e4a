/** Shows a runbook as a web page, so that links to it lead somewhere without any other server. Read-only. */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { slugs, splitFrontMatter } from '../../domain/ask/chunk.ts';
import type { KnowledgeFile } from '../../domain/ask/index.ts';
import type { KnowledgeSource } from '../../domain/ask/ports.ts';

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
pre{overflow:auto;padding:.8rem;border:1px solid #8886;border-radius:6px}code{font:.9em ui-monospace,monospace}
.about{color:#777}h1,h2,h3{line-height:1.25}:target{background:#fd03;outline:.3rem solid #fd03}table{border-collapse:collapse}td,th{border:1px solid #8886;padding:.2rem .6rem}`;

const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

let markdown: ReturnType<typeof loadMarkdown> | undefined;

/** Loaded when the first page is asked for. */
async function loadMarkdown() {
  const { default: Markdown } = await import('markdown-it');
  const md = new Markdown({ html: false, linkify: true });
  md.disable('image');
  return md;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** One file as a whole page; every heading has the fragment that links use. */
export async function renderRunbook(file: KnowledgeFile): Promise<string> {
  markdown ??= loadMarkdown();
  const md = await markdown;
  const { body } = splitFrontMatter(file.text);
  const anchorOf = slugs();
  const tokens = md.parse(body, {});
  for (const [at, token] of tokens.entries()) {
    if (token.type !== 'heading_open') continue;
    const inline = tokens[at + 1];
    const text = (inline?.children ?? [])
      .map((child) => (child.type === 'text' || child.type === 'code_inline' ? child.content : ''))
      .join('');
    token.attrSet('id', anchorOf(text));
  }
  const { meta } = file;
  const about = [
    file.path,
    ...(meta.services.length > 0 ? [`services: ${meta.services.join(', ')}`] : []),
    ...(meta.owners.length > 0 ? [`owners: ${meta.owners.join(', ')}`] : []),
  ].join(' · ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(meta.title ?? file.path)}</title><style>${STYLE}</style></head>
<body><p class="about">${escape(about)}</p>
${md.renderer.render(tokens, md.options, {})}</body></html>
`;
}

/** Coming from another site, a browser shows no session: the link to the same page does, since it is followed from here. */
function signInPage(path: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in first</title><style>${STYLE}</style></head>
<body><h1>Sign in first</h1><p>Runbooks are for the people of the <a href="/">web chat</a>.
If you are signed in there, <a href="${escape(path)}">open this page again</a>.</p></body></html>
`;
}

/**
 * Answers `GET /runbooks/…` to whom `admits` lets in. Only files that the source has read are served: the path is looked up among them, never opened.
 * `next` is called for everything else, if given.
 */
export function runbookHandler(
  source: KnowledgeSource,
  admits: (request: IncomingMessage) => Promise<boolean> = async () => true,
): (
  req: IncomingMessage & { readonly originalUrl?: string },
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => Promise<void> {
  return async (req, res, next) => {
    try {
      if (!(await admits(req))) {
        const path = `/${(req.originalUrl ?? req.url ?? '').replace(/[?#].*$/s, '').replace(/^[/\\]+/, '')}`;
        answer(res, 401, 'html', req.method === 'HEAD' ? undefined : signInPage(path));
        return;
      }
      const file =
        req.method === 'GET' || req.method === 'HEAD'
          ? await find(source, req.originalUrl ?? req.url ?? '')
          : undefined;
      if (file === undefined && next) {
        next();
        return;
      }
      const html = file === undefined ? 'There is no such runbook.\n' : await renderRunbook(file);
      const status = file === undefined ? 404 : 200;
      answer(res, status, file === undefined ? 'plain' : 'html', req.method === 'HEAD' ? undefined : html);
    } catch (error) {
      if (next) next(error);
      else res.writeHead(500).end();
    }
  };
}

function answer(res: ServerResponse, status: number, type: 'html' | 'plain', body: string | undefined): void {
  res.writeHead(status, {
    'content-type': `text/${type}; charset=utf-8`,
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': status === 200 ? 'private, no-cache' : 'no-store',
  });
  res.end(body);
}

async function find(source: KnowledgeSource, url: string): Promise<KnowledgeFile | undefined> {
  let path: string;
  try {
    path = decodeURIComponent(url.replace(/[?#].*$/s, '').replace(/^\/+/, ''));
  } catch {
    return undefined;
  }
  const { files } = await source.read();
  return files.find((file) => file.path === path);
}
