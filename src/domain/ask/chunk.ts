/** Cuts a Markdown file into passages that can be found, shown and linked to on their own. */

/** What the front matter of a file says about it. Every key is optional. */
export interface FrontMatter {
  readonly title?: string;
  /** Names of the alerts that the file is about. */
  readonly alerts: readonly string[];
  readonly services: readonly string[];
  readonly owners: readonly string[];
}

/** One section of a file, or a part of it where the section is long. */
export interface Passage {
  /** Path as people know it: `runbooks/disk-full.md`. */
  readonly path: string;
  /** Title of the file. */
  readonly title: string;
  /** Headings that lead to the section, without the title of the file. */
  readonly heading: readonly string[];
  /** Fragment of the section as GitHub and our own pages give it; empty for the start of the file. */
  readonly anchor: string;
  /** Lines of the file, from 1, both included. */
  readonly line: number;
  readonly endLine: number;
  /** Markdown, without the heading itself. */
  readonly text: string;
}

/** Longest passage in characters; a longer section becomes several. */
export const PASSAGE_LIMIT = 2_400;

/** The front matter as text (YAML, to be parsed by the reader of the file) and the rest with its first line number. */
export function splitFrontMatter(text: string): { yaml: string; body: string; bodyLine: number } {
  const clean = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const found = /^---[ \t]*\n(?<yaml>(?:[^\n]*\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(clean);
  const yaml = found?.groups?.['yaml'];
  if (found === null || yaml === undefined) return { yaml: '', body: clean, bodyLine: 1 };
  return {
    yaml,
    body: clean.slice(found[0].length),
    bodyLine: found[0].split('\n').length - (found[0].endsWith('\n') ? 0 : -1),
  };
}

/** Heading text without Markdown. */
function headingText(raw: string): string {
  return raw
    .replace(/[ \t]+#+[ \t]*$/, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*`]|<[^>]*>/g, '')
    .trim();
}

/** Fragment that GitHub gives a heading; without the number that makes a repeated one unique. */
export function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

/** Gives every heading of one file its own fragment, in order. */
export function slugs(): (heading: string) => string {
  const seen = new Map<string, number>();
  return (heading) => {
    const base = slug(heading);
    const count = seen.get(base) ?? 0;
    seen.set(base, count + 1);
    return count === 0 ? base : `${base}-${count}`;
  };
}

interface Section {
  heading: string[];
  anchor: string;
  line: number;
  lines: string[];
}

/** `runbooks/disk-full.md` → `disk-full`. */
export function fileName(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.[^.]*$/, '');
}

/** All passages of a file in order. A file without any text gives none. */
export function chunk(path: string, text: string, meta: FrontMatter): Passage[] {
  const { body, bodyLine } = splitFrontMatter(text);
  const anchorOf = slugs();
  const trail: { level: number; text: string }[] = [];
  const sections: Section[] = [{ heading: [], anchor: '', line: bodyLine, lines: [] }];
  let firstHeading: string | undefined;
  let fence: string | undefined;

  for (const [at, line] of body.split('\n').entries()) {
    const mark = /^ {0,3}(?<fence>`{3,}|~{3,})/.exec(line)?.groups?.['fence'];
    if (mark !== undefined) {
      if (fence === undefined) fence = mark;
      else if (mark.startsWith(fence) && /^ {0,3}[`~]+\s*$/.test(line)) fence = undefined;
    }
    const found = fence === undefined ? /^ {0,3}(?<marks>#{1,6})[ \t]+(?<text>.+)$/.exec(line)?.groups : undefined;
    if (found?.['marks'] === undefined || found['text'] === undefined) {
      sections.at(-1)?.lines.push(line);
      continue;
    }
    const level = found['marks'].length;
    const heading = headingText(found['text']);
    const anchor = anchorOf(heading);
    if (level === 1 && firstHeading === undefined) {
      firstHeading = heading;
      if (sections.length === 1 && sections[0]?.lines.join('').trim() === '') {
        sections[0] = { heading: [], anchor: '', line: bodyLine + at + 1, lines: [] };
        continue;
      }
    }
    while (trail.length > 0 && (trail.at(-1)?.level ?? 0) >= level) trail.pop();
    trail.push({ level, text: heading });
    if (level > 2) {
      // Deeper headings stay with their section: cut off, they lose what they are about.
      sections.at(-1)?.lines.push(line);
      continue;
    }
    sections.push({ heading: trail.map((step) => step.text), anchor, line: bodyLine + at, lines: [] });
  }

  const title = meta.title ?? firstHeading ?? fileName(path);
  return sections.flatMap((section) => passagesOf(section, path, title));
}

function passagesOf(section: Section, path: string, title: string): Passage[] {
  const passages: Passage[] = [];
  let from = 0;
  const first = section.heading.length > 0 || section.anchor !== '' ? section.line + 1 : section.line;
  const push = (to: number): void => {
    const lines = section.lines.slice(from, to);
    const lead = lines.findIndex((line) => line.trim() !== '');
    if (lead >= 0) {
      const text = lines
        .join('\n')
        .trimEnd()
        .replace(/^(?:[ \t]*\n)+/, '');
      const line = first + from + lead;
      passages.push({
        path,
        title,
        heading: section.heading,
        anchor: section.anchor,
        line: passages.length === 0 && section.heading.length > 0 ? section.line : line,
        endLine: line + text.split('\n').length - 1,
        text,
      });
    }
    from = to;
  };
  let size = 0;
  let fenced = false;
  for (const [at, line] of section.lines.entries()) {
    if (/^ {0,3}(`{3,}|~{3,})/.test(line)) fenced = !fenced;
    const blank = line.trim() === '' && !fenced;
    if (size + line.length > PASSAGE_LIMIT && at > from && (blank || size > PASSAGE_LIMIT)) {
      push(at);
      size = 0;
    }
    size += line.length + 1;
  }
  push(section.lines.length);
  return passages;
}
