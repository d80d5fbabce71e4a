/** A long text in pages that fit into a message. */

/** Characters of a page; a message of Slack takes 10,000 in all. */
const PAGE = 8_000;

/** Whole lines on each page; a line longer than a page is cut. At least one page, which may be empty. */
export function pagesOf(text: string, size: number = PAGE): readonly string[] {
  const pages: string[] = [];
  for (let at = 0; at < text.length; ) {
    if (text.length - at <= size) {
      pages.push(text.slice(at));
      break;
    }
    const end = text.lastIndexOf('\n', at + size);
    const next = end <= at ? at + size : end + 1;
    pages.push(text.slice(at, next));
    at = next;
  }
  return pages.length === 0 ? [''] : pages;
}
