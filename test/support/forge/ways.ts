/** The ways a rollout on a forge can go that are the same for all of them, as tests of the whole program. */

import { expect } from 'chai';
import type { ForgeRobot } from './robot.ts';
import { type Fault, type Forge, type ForgeAnswer, refusal } from './server.ts';

export interface Stage {
  readonly forge: Forge & {
    /** How many rollouts were begun there. */
    begun(scope: string): number;
    /** What holds there may end well. */
    release(scope: string): void;
  };
  readonly robot: ForgeRobot;
}

/** A call that is refused, and what the person in the chat then reads. */
export interface Refused {
  readonly scope: string;
  readonly route: string;
  readonly answer: ForgeAnswer;
  /** What happened there, and last what to do. */
  readonly reads: readonly string[];
}

export function saysWhatToDo(on: () => Stage, refused: readonly Refused[]): void {
  it('says of each refusal what was said there and what to do, without the token, and begins nothing', async () => {
    const { forge, robot } = on();
    for (const { scope, route, answer } of refused) forge.refuse(scope, route, answer);
    await robot.deploy(...refused.map(({ scope }) => scope));
    for (const { scope, reads } of refused) {
      const all = await robot.shown(scope, reads.at(-1) ?? '');
      for (const text of reads) expect(all, scope).to.include(text);
      expect(all, scope).not.to.include('sekrit');
      expect(forge.begun(scope), scope).to.equal(0);
    }
  });
}

/** Of the first question and of the call that begins a rollout. */
export function obeysRetryAfter(on: () => Stage, scope: string, ...routes: readonly string[]): void {
  it('leaves a server alone as long as Retry-After asks, and begins one rollout', async () => {
    const { forge, robot } = on();
    for (const route of routes) {
      forge.fail(scope, route, refusal(429, { message: 'Too Many Requests' }, { 'retry-after': '2' }));
    }
    await robot.deploy(scope);
    await robot.shown(scope, `${scope} v2 is live in staging`);
    for (const route of routes) {
      const [first, second] = forge.calls.filter((call) => call.scope === scope && call.route === route);
      expect((second?.at ?? 0) - (first?.at ?? 0), route).to.be.at.least(1_950);
    }
    expect(forge.begun(scope)).to.equal(1);
  });
}

export interface Begun {
  readonly scope: string;
  /** The call that begins a rollout there. */
  readonly route: string;
  readonly fault: Fault;
}

/** The faults that can befall the call that begins a rollout, for the services `<prefix>500`, `<prefix>500done` and `<prefix>cut`. */
export function faultsOf(prefix: string, route: string): readonly Begun[] {
  const answer = { status: 500, json: { message: 'oh no' } };
  return [
    { scope: `${prefix}500`, route, fault: { kind: 'instead', answer } },
    { scope: `${prefix}500done`, route, fault: { kind: 'after', answer } },
    { scope: `${prefix}cut`, route, fault: { kind: 'cut' } },
  ];
}

export function beginsOnce(on: () => Stage, ...all: readonly Begun[]): void {
  it('begins one rollout, though the call that begins it fails, or its answer is lost', async () => {
    const { forge, robot } = on();
    for (const { scope, route, fault } of all) forge.fail(scope, route, fault);
    await robot.deploy(...all.map(({ scope }) => scope));
    for (const { scope, route, fault } of all) {
      await robot.shown(scope, `${scope} v2 is live in staging`);
      expect(forge.begun(scope), scope).to.equal(1);
      // What was not done is asked for again, what was done is not.
      expect(forge.count(scope, route), scope).to.equal(fault.kind === 'instead' ? 2 : 1);
    }
  });
}

/** While it is followed. */
export function livesThrough(on: () => Stage, scope: string, ...routes: readonly string[]): void {
  it('goes on asking when an answer is a 500, is cut in the middle, or never comes', async () => {
    const { forge, robot } = on();
    for (const route of routes) {
      forge.fail(scope, route, refusal(500, { message: 'oh no' }), { kind: 'cut' }, { kind: 'cut', afterBytes: 0 });
    }
    await robot.deploy(scope);
    await robot.shown(scope, `${scope} v2 is live in staging`);
    expect(forge.begun(scope)).to.equal(1);
  });
}

/** @param going what the room shows once it has begun; `looked` is asked again after the robot is back */
export function takesUpAgain(on: () => Stage, scope: string, going: string, looked: string): void {
  it('takes up the same rollout when the robot was killed in the middle, and begins no second one', async () => {
    const { forge, robot } = on();
    await robot.deploy(scope);
    await robot.shown(scope, going);
    const before = forge.count(scope, looked);
    await robot.killAndStart();
    forge.release(scope);
    await robot.shown(scope, `${scope} v2 is live in staging`);
    expect(forge.count(scope, looked)).to.be.above(before);
    expect(forge.begun(scope)).to.equal(1);
  });
}

/** @param going what the room shows once it has begun */
export async function cancelInTheMiddle({ robot }: Stage, scope: string, going: string): Promise<string> {
  await robot.deploy(scope);
  await robot.shown(scope, going);
  await robot.say(`cancel ${await robot.numberOf(scope)}`);
  return await robot.shown(scope, 'was cancelled');
}

/**
 * How much more memory a log of 50 MB may take for a while, in MB. Up to 100 were seen on a machine that does nothing else, most of it
 * not collected yet; to keep it all takes 600.
 */
const ROOM_MB = 150;

/** Deploys what ends with a log of 50 MB. @returns what `deploys log` then shows */
export async function logOf50MB({ robot }: Stage, scope: string, ends: string): Promise<string> {
  const before = await robot.memory();
  await robot.deploy(scope);
  await robot.shown(scope, ends);
  const after = await robot.memory();
  expect(after.peak - Math.max(before.now, before.peak), 'MB more than before').to.be.below(ROOM_MB);
  const number = await robot.numberOf(scope);
  await robot.say(`deploys log ${number}`);
  await robot.shown(scope, 'the last line of 50 MB');
  return await robot.wholeLog(number);
}
