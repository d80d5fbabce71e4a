// Description:
//   Answers to what the robot asks before it runs something. The buttons on its cards type these

import { type ArgContext, arg, type Offer } from '../src/bot/args.ts';
import { command } from '../src/bot/command.ts';
import type { Proposal } from '../src/bot/proposals.ts';
import type { Robot } from '../src/bot/robot.ts';

export default function proposals(robot: Robot): void {
  command(robot, {
    id: 'proposal.confirm',
    usage: 'confirm <code>',
    summary: 'Run what I asked you about',
    examples: ['confirm a7f3'],
    args: { code: arg.word(asked) },
    effect: 'read', // what it runs is checked and audited as the command that it is
    needs: 'public',
    run: (invocation) => invocation.services.commands.confirm(invocation.args.code, invocation),
  });

  command(robot, {
    id: 'proposal.cancel',
    usage: 'cancel <code>',
    summary: 'Do not run what I asked you about',
    examples: ['cancel a7f3'],
    args: { code: arg.word(asked) },
    effect: 'read',
    needs: 'public',
    run: (invocation) => invocation.services.commands.cancel(invocation.args.code, invocation),
  });

  command(robot, {
    id: 'proposal.approve',
    usage: 'approve <code>',
    summary: 'Let run what somebody else asked for',
    examples: ['approve a7f3'],
    args: { code: arg.word(waiting) },
    effect: 'read',
    needs: 'public', // each proposal names the permission that its approver needs
    run: (invocation) => invocation.services.commands.approve(invocation.args.code, invocation),
  });

  command(robot, {
    id: 'proposal.refuse',
    usage: 'refuse <code>',
    summary: 'Do not let run what somebody else asked for',
    examples: ['refuse a7f3'],
    args: { code: arg.word(waiting) },
    effect: 'read',
    needs: 'public',
    run: (invocation) => invocation.services.commands.refuse(invocation.args.code, invocation),
  });
}

/** What the person was asked, and what others ask of the person. */
async function offers({ services, person, now }: ArgContext, kind: Proposal['kind']): Promise<readonly Offer[]> {
  const found = (await services?.commands?.waiting(person, now)) ?? [];
  return found
    .filter((proposal) => proposal.kind === kind)
    .map(({ code, text, person: { name } }) => ({ value: code, label: `${code} ${name}: ${text}` }));
}

function asked(context: ArgContext): Promise<readonly Offer[]> {
  return offers(context, 'confirm');
}

function waiting(context: ArgContext): Promise<readonly Offer[]> {
  return offers(context, 'approve');
}
