/** The target `webhook`: sends a signed request, and asks how far it is. See docs/guide/targets/webhook.md. */

import { duration } from '../../../domain/deploy/duration.ts';
import {
  CUT_OFF,
  isCancelled,
  type Live,
  type Target,
  type TargetOutcome,
  type TargetRequest,
  type TargetRun,
  TargetUnclear,
} from '../../../domain/deploy/target.ts';
import type { WebhookTargetConfig } from '../../../domain/deploy/targets/webhook.ts';
import { systemClock } from '../../clock.ts';
import { oneLine } from '../../one-line.ts';
import { createRest, type Rest, type RestAnswer, type RestRequest } from '../../rest/client.ts';
import { isPassing, mayHaveArrived, RestProblem } from '../../rest/problem.ts';
import { failureOf, lostSightOf, never } from '../http/failure.ts';
import { fill } from '../http/fill.ts';
import { once } from '../http/once.ts';
import type { HttpTargetOptions } from '../http/options.ts';
import { clearly } from '../http/outcome.ts';
import { createPace } from '../http/pace.ts';
import { type Patience, patiently } from '../http/patience.ts';
import { createLog } from './log.ts';
import {
  type Handle,
  parseAccepted,
  parseCurrent,
  parseHandle,
  parseStatus,
  parseVersions,
  type Status,
} from './schema.ts';
import { sign } from './sign.ts';

const FIRST_POLL_MS = 1_000;
const LAST_POLL_MS = 5_000;
/** How long a status may not be there yet. */
const LAG_MS = 30_000;
const STOP_MS = 60_000;
const REMEMBER_EVERY_MS = 10_000;

const ADVICE = {
  401: 'check that both sides have the same secret, and that their clocks agree',
  403: 'check that both sides have the same secret, and that their clocks agree',
  404: 'check the address in config/services.yaml',
  409: 'something stands against it there: its own log says what',
} as const;

type Values = Readonly<Record<string, string | undefined>>;

/** Each value is one part of an address, whatever it holds. */
function encoded(values: Values): Readonly<Record<string, string>> {
  const known = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [name, encodeURIComponent(value)]));
}

export function createWebhookTarget(options: HttpTargetOptions<WebhookTargetConfig>): Target {
  const { config } = options;
  const clock = options.clock ?? systemClock;
  const now = () => clock.now().getTime();
  const servers = new Map<string, Rest>();

  function rest(origin: string): Rest {
    const known = servers.get(origin);
    if (known !== undefined) return known;
    const made = createRest({
      name: 'The webhook',
      baseUrl: origin,
      ...(config.tokenFrom === undefined
        ? {}
        : { token: { from: config.tokenFrom, value: options.environment[config.tokenFrom] } }),
      headers: (token): Record<string, string> => (token === '' ? {} : { authorization: `Bearer ${token}` }),
      clock,
    });
    servers.set(origin, made);
    return made;
  }

  /** A request for one of the addresses, signed. */
  function signed(
    template: string,
    values: Values,
    id: string,
    request: Omit<RestRequest, 'path' | 'body'> & { readonly body?: object } = {},
  ): { readonly rest: Rest; readonly request: RestRequest } {
    const secret = options.environment[config.secretFrom];
    if (secret === undefined || secret === '') {
      const text = `the variable ${config.secretFrom} is not set, so nothing can be signed; set it and start the robot again`;
      throw new RestProblem('no_token', text);
    }
    const url = new URL(fill(template, encoded(values)));
    const body = request.body === undefined ? '' : JSON.stringify(request.body);
    return {
      rest: rest(url.origin),
      request: {
        advice: ADVICE,
        ...request,
        path: `${url.pathname}${url.search}`,
        // Receivers refuse what was signed some minutes ago, and there may be long waits between two tries.
        sign: () => ({ ...sign(secret, id, clock.now(), body) }),
      },
    };
  }

  async function ask(...args: Parameters<typeof signed>): Promise<RestAnswer> {
    const made = signed(...args);
    return await made.rest.ask(made.request);
  }

  const valuesOf = ({ service, environment, version, deployment }: TargetRequest, handle: Partial<Handle>): Values => ({
    service,
    environment,
    version,
    deployment: String(deployment),
    id: handle.id,
  });

  /** How far it is; undefined if it is not known there. @throws RestProblem */
  async function status(
    template: string,
    request: TargetRequest,
    handle: Partial<Handle>,
  ): Promise<Status | undefined> {
    const id = `status-${request.deployment}-${now()}`;
    try {
      const { data } = await ask(template, valuesOf(request, handle), id);
      const parsed = parseStatus(data);
      if (parsed !== undefined) return parsed;
    } catch (error) {
      if (error instanceof RestProblem && error.kind === 'not_found') return undefined;
      throw error;
    }
    const text = 'the webhook did not answer with a status like {"state": "running"}; the guide says what it may hold';
    throw new RestProblem('unreadable', text);
  }

  async function deploy(request: TargetRequest, run: TargetRun): Promise<TargetOutcome> {
    const handle: Handle = { kind: 'webhook', startedAt: now(), taken: false, told: 0 };
    const { service, environment, version, deployment } = request;
    try {
      await run.remember(handle);
      run.progress({ text: 'Sending the request' });
      const body = { action: 'deploy', deployment, service, environment, version };
      const send = async () => {
        // The same id each time: a receiver that keeps it knows a repetition.
        const answer = await ask(config.deploy, valuesOf(request, {}), `deploy-${deployment}`, {
          method: 'POST',
          body,
          patienceMs: left(handle),
          signal: run.signal,
        });
        return { id: parseAccepted(answer.data) };
      };
      const { status: where } = config;
      const { id } = canLook(where)
        ? await once<{ readonly id: string | undefined }>({
            send,
            find: async () => ((await status(where, request, {})) === undefined ? undefined : { id: undefined }),
            clock,
            signal: run.signal,
          })
        : await send();
      if (where === undefined) return { kind: 'succeeded' };
      const taken: Handle = { ...handle, taken: true, ...(id === undefined ? {} : { id }) };
      if (id === undefined && !canLook(where)) {
        return {
          kind: 'failed',
          code: 'unreadable',
          text: 'the webhook took the request and gave no `id`, which `status` needs',
        };
      }
      await run.remember(taken);
      return await follow(where, request, taken, run);
    } catch (error) {
      return await endedBy(error, request, handle, run);
    }
  }

  async function resume(request: TargetRequest, remembered: unknown, run: TargetRun): Promise<TargetOutcome> {
    const handle = parseHandle(remembered);
    const { status: where } = config;
    if (handle === undefined || where === undefined || (!canLook(where) && handle.id === undefined)) {
      return { kind: 'interrupted', text: 'the robot was stopped while it sent the request, which may have arrived' };
    }
    try {
      return await follow(where, request, handle, run);
    } catch (error) {
      return await endedBy(error, request, handle, run);
    }
  }

  const left = ({ startedAt }: Handle) => Math.max(startedAt + config.timeoutMs - now(), 0);
  const patienceOf = (handle: Handle, run: TargetRun): Patience => ({
    run,
    what: 'the rollout',
    left: () => left(handle),
  });

  async function follow(where: string, request: TargetRequest, first: Handle, run: TargetRun): Promise<TargetOutcome> {
    try {
      return await toItsEnd(where, request, first, run);
    } catch (error) {
      return lostSightOf(error);
    }
  }

  async function toItsEnd(
    where: string,
    request: TargetRequest,
    first: Handle,
    run: TargetRun,
  ): Promise<TargetOutcome> {
    let handle = first;
    const pace = createPace(FIRST_POLL_MS, LAST_POLL_MS);
    const since = now();
    const { log: logAt } = config;
    const log =
      logAt === undefined
        ? undefined
        : createLog(
            async (range, mostBytes, take) => {
              const id = `log-${request.deployment}-${now()}`;
              const headers = { range, accept: 'text/plain', 'accept-encoding': 'identity' };
              const made = signed(logAt, valuesOf(request, handle), id, { headers, mostBytes });
              return await made.rest.stream(made.request, take);
            },
            handle.told,
            run,
          );
    const keep = async () => {
      handle = { ...handle, told: log?.told() ?? 0 };
      await run.remember(handle);
    };
    let keptAt = now();
    let stopping: number | undefined;
    let told = '';
    for (;;) {
      const looked = await patiently(patienceOf(handle, run), () => status(where, request, handle));
      await log?.read();
      if (looked.kind === 'answer') {
        const found = looked.value;
        if (found === undefined && now() - since > LAG_MS) {
          if (!handle.taken)
            return { kind: 'interrupted', text: 'the robot was stopped before the request had arrived' };
          return {
            kind: 'failed',
            code: 'not_found',
            text: 'the webhook took the request, but knows nothing of it; look there',
          };
        }
        if (found !== undefined) {
          const step = JSON.stringify([found.step, found.percent]);
          if (step !== told) run.progress(progressOf(found));
          told = step;
          const outcome = outcomeOf(found, stopping !== undefined);
          if (outcome !== undefined) {
            await log?.read();
            await log?.end().catch(() => undefined);
            await keep();
            return outcome;
          }
        }
      }
      if (now() - keptAt > REMEMBER_EVERY_MS) {
        keptAt = now();
        await keep();
      }
      const cancelled = isCancelled(run.signal);
      if (run.signal.aborted && !cancelled) {
        await keep();
        return CUT_OFF;
      }
      if (stopping !== undefined && now() > stopping) {
        return { kind: 'interrupted', text: 'it was cancelled, but did not end; look there' };
      }
      if (cancelled && stopping === undefined) {
        if (config.cancel === undefined) {
          return {
            kind: 'interrupted',
            text: 'it was cancelled here; it may go on, for there is no address to cancel it',
          };
        }
        const { cancel } = config;
        run.progress({ text: 'Cancelling' });
        const body = {
          action: 'cancel',
          deployment: request.deployment,
          service: request.service,
          environment: request.environment,
        };
        const sent = await patiently(patienceOf(handle, run), () =>
          ask(cancel, valuesOf(request, handle), `cancel-${request.deployment}`, {
            method: 'POST',
            body,
            repeatable: true,
          }),
        );
        if (sent.kind === 'answer') stopping = now() + STOP_MS;
        pace.hurry();
      }
      if (left(handle) === 0 && stopping === undefined) {
        const text = `it took longer than ${duration(config.timeoutMs)}, and may go on`;
        return { kind: 'failed', code: 'timeout', text };
      }
      await clock.sleep(pace.next(), cancelled ? never : run.signal);
    }
  }

  /** A robot that is being stopped leaves what may have begun to whoever takes it up. */
  async function endedBy(
    error: unknown,
    request: TargetRequest,
    handle: Handle,
    run: TargetRun,
  ): Promise<TargetOutcome> {
    const stopped = error instanceof RestProblem && error.kind === 'stopped';
    const { status: where } = config;
    if (run.signal.aborted && (stopped || isPassing(error))) {
      // Who cancels while the request is on its way cancels what it began.
      if (isCancelled(run.signal) && canLook(where) && (await isThere(where, request))) {
        return await follow(where, request, { ...handle, taken: true }, run).catch(failureOf);
      }
      const text = isCancelled(run.signal) ? 'it was cancelled' : 'the robot was stopped';
      return { kind: 'interrupted', text: `${text} while the request was on its way` };
    }
    const failed = failureOf(error);
    if (failed.kind !== 'failed' || !mayHaveArrived(error) || canLook(where)) return failed;
    return { ...failed, text: `${failed.text}; the request may have arrived, so it was not sent again` };
  }

  async function isThere(where: string, request: TargetRequest): Promise<boolean> {
    return (await status(where, request, {}).catch(() => undefined)) !== undefined;
  }

  async function current(service: string, environment: string): Promise<Live | 'unsupported' | undefined> {
    const { current: where } = config;
    if (where === undefined) return 'unsupported';
    const { data } = await clearly(() => ask(where, { service, environment }, `current-${now()}`));
    const parsed = parseCurrent(data);
    if (parsed === undefined)
      throw new TargetUnclear('the webhook for “current” did not answer {"version": "…"} or {}');
    const { version, since } = parsed;
    return version === undefined ? undefined : { version, ...(since === undefined ? {} : { since }) };
  }

  async function versions(service: string): Promise<readonly string[] | 'unsupported'> {
    const { versions: where } = config;
    if (where === undefined) return 'unsupported';
    const { data } = await clearly(() => ask(where, { service }, `versions-${now()}`));
    const parsed = parseVersions(data);
    if (parsed === undefined)
      throw new TargetUnclear('the webhook for “versions” did not answer a list like ["v2", "v1"]');
    return parsed;
  }

  return { kind: 'webhook', deploy, resume, current, versions, settle: async () => undefined };
}

/** Whether the status can be asked for without an id that only the answer gives. */
function canLook(where: string | undefined): where is string {
  return where !== undefined && !where.includes('{id}');
}

function progressOf({ step, percent }: Status): { text?: string; percent?: number } {
  return {
    ...(step === undefined ? {} : { text: oneLine(step) }),
    ...(percent === undefined ? {} : { percent }),
  };
}

/** Undefined while it runs. */
function outcomeOf({ state, reason }: Status, cancelled: boolean): TargetOutcome | undefined {
  const why = oneLine(reason ?? '', 2_000);
  switch (state) {
    case 'pending':
    case 'running':
      return undefined;
    case 'succeeded':
      return { kind: 'succeeded' };
    case 'failed':
      return { kind: 'failed', code: 'failed', text: why === '' ? 'the program behind the webhook failed' : why };
    case 'cancelled':
      return cancelled
        ? { kind: 'interrupted', text: 'it was cancelled' }
        : {
            kind: 'failed',
            code: 'cancelled',
            text: why === '' ? 'it was cancelled there' : `it was cancelled there: ${why}`,
          };
  }
}
