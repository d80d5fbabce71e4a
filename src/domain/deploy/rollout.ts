/** One rollout, from its first step to what its target says of its end: shown while it runs, stopped, taken up again. */

import { createAnnouncer } from './announce.ts';
import { messageKey } from './keys.ts';
import { createOutput, lastLines, type Output } from './output.ts';
import { serviceOf } from './place.ts';
import type { Deployment, DeployPorts } from './ports.ts';
import { advance, NO_PROGRESS, type Progress, progressCard } from './progress.ts';
import { CANCEL, CUT_OFF, isCancelled, type TargetOutcome, type TargetRequest, type TargetRun } from './target.ts';

const SAVE_OUTPUT_EVERY_MS = 5_000;
/** Of output so long (in UTF-16 units); what is longer is saved less often, so that saving costs the same. */
const SAVED_OFTEN = 64 * 1024;
/** Lines of output on the card while it runs. */
const SHOWN_LINES = 3;
/** How often whoever runs a deployment looks whether it was cancelled, should the word of it have been lost. */
const LOOK_FOR_CANCEL_MS = 5_000;

export interface Rollouts {
  /** Sees a rollout that this replica has just claimed to its end, or leaves it when the robot stops. */
  begin(deployment: Deployment, shutdown: AbortSignal): Promise<void>;
  /** The same for one that another process left; nothing if somebody else took it up. */
  takeUp(id: number, shutdown: AbortSignal): Promise<void>;
  /** Somebody cancelled it: stops it if it runs here. */
  stop(id: number): void;
  /** Whether another process could follow it to its end. */
  canResume(deployment: Pick<Deployment, 'id' | 'service'>): Promise<boolean>;
}

/** @param ended is told once of each rollout that this replica saw end, with all that its program said, redacted */
export function createRollouts(
  ports: DeployPorts,
  ended: (deployment: Deployment, outcome: TargetOutcome, output: string, shutdown: AbortSignal) => Promise<void>,
): Rollouts {
  const { config, store, clock, log } = ports;
  /** What runs here, by number. */
  const stops = new Map<number, AbortController>();

  async function takeUp(id: number, shutdown: AbortSignal): Promise<void> {
    const deployment = await store.takeUp(id, ports.replica);
    if (deployment === undefined) return;
    log.info({ deployment: id }, 'deployment taken up');
    const output = createOutput();
    for (const line of (await store.output(id)).split('\n').filter(Boolean)) output.add(line);
    await see(deployment, shutdown, output, await store.handle(id));
  }

  /** Sees a rollout to its end, or leaves it to whoever takes it up. */
  async function see(deployment: Deployment, shutdown: AbortSignal, output: Output, handle?: unknown): Promise<void> {
    const { id } = deployment;
    const cancelled = new AbortController();
    const over = new AbortController();
    stops.set(id, cancelled);
    const signal = AbortSignal.any([cancelled.signal, shutdown]);
    const watch = watchCancel(id, over.signal);
    const outcome = await drive(deployment, signal, output, handle).finally(() => {
      over.abort();
      stops.delete(id);
    });
    await watch;
    const text = ports.redact(output.text());
    const left = outcome.kind === 'interrupted' && signal.aborted && !isCancelled(signal);
    if (left && (await canResume(deployment))) {
      await store.leave(id, ports.replica, text);
      return;
    }
    await ended(deployment, outcome, text, shutdown);
  }

  function stop(id: number): void {
    stops.get(id)?.abort(CANCEL);
  }

  /** The word that somebody cancelled may have been lost, or may have come before anybody listened. */
  async function watchCancel(id: number, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      try {
        if ((await store.get(id))?.cancelledBy !== undefined) return stop(id);
      } catch (error) {
        log.warn({ err: error, deployment: id }, 'not known whether a deployment was cancelled');
      }
      await clock.sleep(LOOK_FOR_CANCEL_MS, over);
    }
  }

  async function canResume({ id, service }: Pick<Deployment, 'id' | 'service'>): Promise<boolean> {
    if (serviceOf(config, service) === undefined || ports.target(service).resume === undefined) return false;
    return (await store.handle(id)) !== undefined;
  }

  /** Runs the target; whatever goes wrong becomes an outcome. */
  async function drive(
    deployment: Deployment,
    signal: AbortSignal,
    output: Output,
    handle?: unknown,
  ): Promise<TargetOutcome> {
    const { id, service, environment, version } = deployment;
    if (serviceOf(config, service) === undefined) {
      return { kind: 'failed', code: 'unknown_service', text: 'the service is no longer in config/services.yaml' };
    }
    const { run, close } = shownRun(deployment, signal, output);
    try {
      const target = ports.target(service);
      const request: TargetRequest = { deployment: id, service, environment, version };
      if (handle !== undefined && target.resume) {
        // It goes on by itself; whoever is there next takes it up. One that was cancelled is stopped by its target.
        const isStopping = signal.aborted && !isCancelled(signal);
        return isStopping ? CUT_OFF : await target.resume(request, handle, run);
      }
      await target.settle(service, environment);
      if (signal.aborted) return CUT_OFF;
      return await target.deploy(request, run);
    } catch (error) {
      log.error({ err: error, deployment: id }, 'deployment target failed');
      return {
        kind: 'failed',
        code: 'target',
        text: 'the target failed in an unexpected way; the log of the robot says how',
      };
    } finally {
      await close();
    }
  }

  /** What a target tells, on the card in the room and, now and then, in the record. */
  function shownRun(
    deployment: Deployment,
    signal: AbortSignal,
    output: Output,
  ): { readonly run: TargetRun; close(): Promise<void> } {
    const { id } = deployment;
    let progress: Progress = NO_PROGRESS;
    let recent: readonly string[] = [];
    let savedAt = clock.now().getTime();
    const announcer = createAnnouncer(
      clock,
      () => {
        const shown = lastLines(ports.redact(recent.join('\n')), SHOWN_LINES);
        return progressCard(deployment, { ...progress, lastLines: shown }, clock.now());
      },
      async (content) => {
        try {
          await ports.post(deployment.origin, content, messageKey(id));
          const every = SAVE_OUTPUT_EVERY_MS * Math.max(1, output.size() / SAVED_OFTEN);
          if (clock.now().getTime() - savedAt < every) return;
          savedAt = clock.now().getTime();
          await store.saveOutput(id, ports.replica, ports.redact(output.text()));
        } catch (error) {
          log.warn({ err: error, deployment: id }, 'deployment progress not shown');
        }
      },
    );
    announcer.changed();
    const run: TargetRun = {
      signal,
      remember: (found) => store.remember(id, ports.replica, found),
      progress(step) {
        if (step.text !== undefined) output.add(`— ${step.text}`);
        const said = step.text === undefined ? step : { ...step, text: ports.redact(step.text) };
        progress = advance(progress, said, clock.now());
        announcer.changed();
      },
      output(line) {
        output.add(line);
        // Whole: half of a secret would not be known for one.
        if (line.trim() !== '') recent = [...recent.slice(1 - SHOWN_LINES), line];
        announcer.changed();
      },
    };
    return { run, close: () => announcer.close() };
  }

  return { begin: (deployment, shutdown) => see(deployment, shutdown, createOutput()), takeUp, stop, canResume };
}
