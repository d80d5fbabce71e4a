/** A receiver of the webhook target, as docs/guide/targets/webhook.md has it; signatures as Standard Webhooks checks them. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { webhookBody } from './schema.ts';
import {
  allow,
  bodyOf,
  type Forge,
  type ForgeAnswer,
  type ForgeCall,
  type LongText,
  type Route,
  startForge,
} from './server.ts';

/** How a rollout goes. */
export interface ReceiverPlan {
  readonly ends?: 'succeeded' | 'failed';
  /** Goes on until it is released or cancelled. */
  readonly holds?: boolean;
  readonly log?: LongText;
}

interface Rollout {
  readonly id: number;
  looks: number;
  cancelled: boolean;
}

interface Service {
  plan: ReceiverPlan;
  released: boolean;
  readonly rollouts: Map<number, Rollout>;
}

export interface Receiver extends Forge {
  plan(scope: string, plan: ReceiverPlan): void;
  release(scope: string): void;
  /** How many rollouts were begun there. */
  begun(scope: string): number;
  cancelled(scope: string): boolean;
}

const at = (tail: string) => new RegExp(`^/(?<scope>[\\w-]+)${tail}$`);

export async function startReceiver(secret: string): Promise<Receiver> {
  const services = new Map<string, Service>();

  function of(scope: string): Service {
    const known = services.get(scope);
    if (known !== undefined) return known;
    const made: Service = { plan: {}, released: false, rollouts: new Map() };
    services.set(scope, made);
    return made;
  }

  /** github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
  function guard({ headers, text }: ForgeCall): ForgeAnswer | undefined {
    const id = headers['webhook-id']?.toString() ?? '';
    const stamp = headers['webhook-timestamp']?.toString() ?? '';
    allow(id !== '' && /^\d{10}$/.test(stamp), 'id and timestamp');
    allow(Math.abs(Date.now() / 1_000 - Number(stamp)) < 300, `timestamp ${stamp}`);
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const own = Buffer.from(`v1,${createHmac('sha256', key).update(`${id}.${stamp}.${text}`).digest('base64')}`);
    const given = Buffer.from(headers['webhook-signature']?.toString() ?? '');
    if (own.length === given.length && timingSafeEqual(own, given)) return undefined;
    return { status: 401, json: { message: 'bad signature' } };
  }

  function stateOf({ plan, released }: Service, { looks, cancelled }: Rollout): string {
    if (cancelled) return looks > 2 ? 'cancelled' : 'running';
    if (plan.holds === true && !released) return 'running';
    return looks > 1 ? (plan.ends ?? 'succeeded') : 'running';
  }

  function rolloutOf(call: ForgeCall): Rollout | undefined {
    return of(call.scope).rollouts.get(Number(call.parts['id']));
  }

  function logOf(call: ForgeCall): ForgeAnswer {
    const { log } = of(call.scope).plan;
    if (log === undefined) return { status: 404 };
    const range = /^bytes=(?<from>\d*)-(?<tail>\d*)$/.exec(call.headers.range ?? '')?.groups;
    allow(range !== undefined, `range ${call.headers.range}`);
    const from = range?.['from'] === '' ? log.size - Number(range['tail']) : Number(range?.['from']);
    if (from >= log.size) return { status: 416, headers: { 'content-range': `bytes */${log.size}` } };
    return {
      status: 206,
      headers: { 'content-range': `bytes ${from}-${log.size - 1}/${log.size}` },
      text: log.read(from),
    };
  }

  const routes: readonly Route[] = [
    {
      name: 'POST deploys',
      method: 'POST',
      path: at('/deploys'),
      answer(call) {
        const body = bodyOf(call, webhookBody);
        allow(body.action === 'deploy' && body.version !== undefined, 'a deploy names its version');
        allow(call.headers['webhook-id'] === `deploy-${body.deployment}`, 'the id is that of the deployment');
        const { rollouts } = of(call.scope);
        // The same one again is not begun again.
        if (!rollouts.has(body.deployment)) {
          rollouts.set(body.deployment, { id: body.deployment, looks: 0, cancelled: false });
        }
        return { status: 202, json: {} };
      },
    },
    {
      name: 'GET status',
      method: 'GET',
      path: at(String.raw`/deploys/(?<id>\d+)`),
      answer(call) {
        const rollout = rolloutOf(call);
        if (rollout === undefined) return { status: 404, json: { message: 'never heard of' } };
        rollout.looks += 1;
        const state = stateOf(of(call.scope), rollout);
        const more = state === 'failed' ? { reason: 'the disk of host-3 is full' } : {};
        return { status: 200, json: { state, step: 'Copying files', percent: 40, ...more } };
      },
    },
    { name: 'GET log', method: 'GET', path: at(String.raw`/deploys/(?<id>\d+)/log`), answer: logOf },
    {
      name: 'POST cancel',
      method: 'POST',
      path: at(String.raw`/deploys/(?<id>\d+)/cancel`),
      answer(call) {
        const body = bodyOf(call, webhookBody);
        allow(body.action === 'cancel' && body.version === undefined, 'a cancel');
        const rollout = rolloutOf(call);
        if (rollout === undefined) return { status: 404 };
        rollout.cancelled = true;
        rollout.looks = 0;
        return { status: 202, json: {} };
      },
    },
  ];
  const forge = await startForge(routes, guard);
  return {
    ...forge,
    plan(scope, plan) {
      of(scope).plan = plan;
    },
    release(scope) {
      of(scope).released = true;
    },
    begun: (scope) => of(scope).rollouts.size,
    cancelled: (scope) => [...of(scope).rollouts.values()].some((one) => one.cancelled),
  };
}
