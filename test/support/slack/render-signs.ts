/** Emoji as small drawings of our own, for machines whose fonts have none. */

const shapes: Readonly<Record<string, string>> = {
  '✅': '<rect x="1" y="1" width="14" height="14" rx="3" fill="#2eb67d"/><path d="M4 8l3 3 5-6" stroke="#fff" stroke-width="2" fill="none"/>',
  '❌': '<path d="M3 3l10 10M13 3L3 13" stroke="#e01e5a" stroke-width="3"/>',
  '⚠': '<path d="M8 1l7 13H1z" fill="#ecb22e"/><path d="M8 6v4M8 11.4v1.6" stroke="#1d1c1d" stroke-width="1.6"/>',
  '🚨': '<path d="M4 11V8a4 4 0 018 0v3z" fill="#e01e5a"/><rect x="2" y="11.5" width="12" height="3" rx="1" fill="#616061"/><path d="M8 1v1.6M2 4l1.4 1M14 4l-1.4 1" stroke="#e01e5a" stroke-width="1.4"/>',
  '🚀': '<path d="M8 0c3 2 4 5 4 8l-1.5 3h-5L4 8c0-3 1-6 4-8z" fill="#c9d3de"/><path d="M4 8l-2 4 3-1zM12 8l2 4-3-1z" fill="#e01e5a"/><circle cx="8" cy="6" r="1.6" fill="#1264a3"/><path d="M6.5 12h3L8 16z" fill="#ecb22e"/>',
  '👀': '<ellipse cx="4.5" cy="8" rx="3.3" ry="5" fill="#fff" stroke="#616061"/><ellipse cx="11.5" cy="8" rx="3.3" ry="5" fill="#fff" stroke="#616061"/><circle cx="5.3" cy="9" r="1.7"/><circle cx="12.3" cy="9" r="1.7"/>',
  '⏳': '<path d="M3 1h10v2L9 8l4 5v2H3v-2l4-5-4-5z" fill="#ecb22e"/>',
  '⌛': '<path d="M3 1h10v2L9 8l4 5v2H3v-2l4-5-4-5z" fill="#ecb22e"/>',
  '🔥': '<path d="M8 1c1 3 5 4 5 9a5 5 0 01-10 0c0-2 1-3 2-4 0 2 1 2 1 2 1-2 0-4 2-7z" fill="#e8622c"/><path d="M8 8c1 2 2 2 2 4a2 2 0 01-4 0c0-2 1-2 2-4z" fill="#ecb22e"/>',
  '🔒': '<path d="M5 8V5a3 3 0 016 0v3" stroke="#616061" stroke-width="1.8" fill="none"/><rect x="3" y="7" width="10" height="8" rx="1.5" fill="#ecb22e"/>',
  '🔔': '<path d="M8 1c3 0 4 2 4 5v4l2 2H2l2-2V6c0-3 1-5 4-5z" fill="#ecb22e"/><circle cx="8" cy="13.6" r="1.6" fill="#b4541a"/>',
  '🤖': '<rect x="2" y="4" width="12" height="10" rx="2" fill="#c9d3de"/><circle cx="5.5" cy="8" r="1.5" fill="#1264a3"/><circle cx="10.5" cy="8" r="1.5" fill="#1264a3"/><path d="M5 11.5h6M8 4V1" stroke="#616061" stroke-width="1.4"/>',
  '🟢': '<circle cx="8" cy="8" r="7" fill="#2eb67d"/>',
  '🟡': '<circle cx="8" cy="8" r="7" fill="#ecb22e"/>',
  '🔴': '<circle cx="8" cy="8" r="7" fill="#e01e5a"/>',
};

const known = new RegExp(`(${Object.keys(shapes).join('|')})\\uFE0F?`, 'gu');

/** Draws the signs in the text of HTML whose text and attributes are escaped; attributes stay as they are. */
export function drawSigns(html: string): string {
  const parts = html.split(/(<[^>]*>)/);
  return parts
    .map((part) =>
      part.startsWith('<')
        ? part
        : part.replace(
            known,
            (_, sign: string) =>
              `<svg class="sign" viewBox="0 0 16 16" role="img" aria-label="${sign}">${shapes[sign]}</svg>`,
          ),
    )
    .join('');
}
