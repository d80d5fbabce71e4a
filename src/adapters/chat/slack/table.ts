/** Tables, which mrkdwn does not know. */

import { columns } from '../shell/visible.ts';
import { escapeMrkdwn } from './escape.ts';

const SPACE = '\u00a0';

/** Cells as plain text; the first row is the head. */
export interface Table {
  readonly rows: string[][];
  /** By column: numbers stand to the right. */
  readonly right: boolean[];
}

/** What a code block shows of a line on most screens; a wider table would be folded in the middle of its rows. */
const TABLE_COLUMNS = 78;
const BETWEEN = '  ';

function widthsOf({ rows, right }: Table): readonly number[] {
  return right.map((_, column) => Math.max(1, ...rows.map((row) => columns(row[column] ?? ''))));
}

/** Whether its rows fit on a line: then it is shown as text in columns. */
export function isNarrow(table: Table): boolean {
  return widthsOf(table).reduce((sum, width) => sum + width + BETWEEN.length, -BETWEEN.length) <= TABLE_COLUMNS;
}

/** Each row as an item: its first cell, then the others under the names of their columns. */
export function tableList({ rows: [head = [], ...rows] }: Table): string[] {
  return rows.flatMap(([first = '', ...cells]) => [
    `• *${escapeMrkdwn(first.trim() || '–')}*`,
    ...cells.flatMap((cell, at) => {
      const name = head[at + 1]?.trim() ?? '';
      if (cell.trim() === '') return [];
      return [`${SPACE.repeat(4)}${name === '' ? '' : `${escapeMrkdwn(name)}: `}${escapeMrkdwn(cell.trim())}`];
    }),
  ]);
}

/** Columns of equal width, for a code block. */
export function tableText(table: Table): string {
  const { rows, right } = table;
  const widths = widthsOf(table);
  const lines = rows.map((row) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? '';
        const fill = ' '.repeat(width - columns(cell));
        return right[column] === true ? fill + cell : cell + fill;
      })
      .join(BETWEEN)
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join(BETWEEN));
  return lines.join('\n');
}
