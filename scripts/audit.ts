// Description:
//   Who changed what

import { type ArgContext, arg } from '../src/bot/args.ts';
import type { AuditRow } from '../src/bot/audit.ts';
import { card, codeSpan, moment, plain } from '../src/bot/card.ts';
import { command } from '../src/bot/command.ts';
import type { Robot } from '../src/bot/robot.ts';
import { API_CHAT } from '../src/domain/access/token.ts';

const SHOWN = 15;

export default function audit(robot: Robot): void {
  command(robot, {
    id: 'audit.list',
    usage: 'audit [from:<person>] [token:<token>] [since:<time>] [about:<command>] [limit:<count>]',
    summary: 'Who changed what, newest first',
    examples: ['audit', 'audit from:bob since:7d', 'audit about:deploy', 'audit token:ci'],
    args: {
      from: arg.person(),
      token: arg.word(tokens),
      since: arg.time(),
      about: arg.word(),
      limit: arg.integer({ min: 1, max: 100 }),
    },
    effect: 'read',
    needs: 'audit:read',
    async run({ args, room, services }) {
      const rows = await services.audit.list({
        ...(args.from ? { personId: args.from.id } : {}),
        ...(args.token === undefined ? {} : { personId: `${API_CHAT}:${args.token}` }),
        ...(args.since ? { since: args.since } : {}),
        ...(args.about ? { command: args.about } : {}),
        limit: args.limit ?? SHOWN,
      });
      if (rows.length === 0) return 'Nothing was changed in that time.';
      return card({ title: 'Who changed what', text: rows.map((row) => auditLine(row, room.private)).join('\n') });
    },
  });
}

const MARKS = { succeeded: '✓', failed: '✗', refused: '⊘', interrupted: '!' } as const;

/** Those that there are; of others, what they did is still to be had. */
async function tokens({ services }: ArgContext): Promise<readonly string[]> {
  return ((await services?.tokens?.list()) ?? []).map(({ name }) => name);
}

/** What somebody typed in private is not shown where others read: there, the name of the command stands for it. */
function auditLine(row: AuditRow, inPrivate: boolean): string {
  // The room of a program is its request, which tells nobody anything.
  const fromProgram = row.chat === API_CHAT;
  const where = fromProgram ? '' : row.private ? ' in private' : ` in ${plain(row.room)}`;
  const mark = row.outcome ? `${MARKS[row.outcome]} ${row.outcome}` : '… running';
  const detail = row.detail ? ` (${plain(row.detail)})` : '';
  const approved = row.approvedBy ? `, approved by ${plain(row.approvedBy)}` : '';
  const text = codeSpan((row.private && !inPrivate ? row.commandId : row.text).slice(0, 200));
  return `- ${moment(row.at)} · ${plain(row.personName)}${where}: ${text} ${mark}${detail}${approved}`;
}
