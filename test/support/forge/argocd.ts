/** Argo CD as its swagger has it (/swagger-ui of each server): applications, JSON patches, syncs, operations, trees, logs. */

import { patchRequest, patchSteps, syncRequest } from './schema.ts';
import {
  allow,
  bodyOf,
  type Forge,
  type ForgeAnswer,
  type ForgeCall,
  type LongText,
  onlyQuery,
  type Route,
  startForge,
} from './server.ts';

/** How an application goes. */
export interface ArgoPlan {
  readonly health?: 'Healthy' | 'Degraded';
  readonly fails?: boolean;
  /** The sync goes on until it is released or terminated. */
  readonly holds?: boolean;
  /** Syncs by itself as soon as its spec was changed, and heals itself. */
  readonly auto?: boolean;
  /** Has a chart and, second, values in Git. */
  readonly several?: boolean;
  /** The log of its pod. */
  readonly log?: LongText;
}

interface Operation {
  readonly info: readonly { readonly name: string; readonly value: string }[];
  readonly version: string;
  looks: number;
  terminated: boolean;
}

interface App {
  plan: ArgoPlan;
  released: boolean;
  /** What `targetRevision` says, of each source. */
  readonly revisions: string[];
  readonly operations: Operation[];
}

export interface Argocd extends Forge {
  plan(scope: string, plan: ArgoPlan): void;
  release(scope: string): void;
  /** How many syncs were asked for there and begun, those that Argo CD began itself aside. */
  begun(scope: string): number;
  /** How many of them were terminated. */
  terminated(scope: string): number;
  revision(scope: string): string;
}

const at = (tail: string) => new RegExp(`^/argo/api/v1/applications/(?<scope>[\\w-]+)${tail}$`);

/** As the gateway of gRPC has errors. */
function problem(status: number, code: number, message: string): ForgeAnswer {
  return { status, json: { error: message, code, message } };
}

/** @param token of an account that may get, update and sync what is in the project `shop` */
export async function startArgocd(token: string): Promise<Argocd> {
  const apps = new Map<string, App>();

  function of(scope: string): App {
    const known = apps.get(scope);
    if (known !== undefined) return known;
    const made: App = { plan: {}, released: false, revisions: ['v1', 'main'], operations: [] };
    apps.set(scope, made);
    return made;
  }

  function guard(call: ForgeCall): ForgeAnswer | undefined {
    if (call.headers.authorization !== `Bearer ${token}`) return problem(401, 16, 'invalid session: token is expired');
    return undefined;
  }

  function phaseOf({ plan, released }: App, operation: Operation): string {
    if (operation.terminated) return operation.looks > 1 ? 'Failed' : 'Terminating';
    if (plan.holds === true && !released && operation.info.length > 0 && operation.version === 'v2') return 'Running';
    if (operation.looks < 2) return 'Running';
    return plan.fails === true ? 'Failed' : 'Succeeded';
  }

  const under = (app: App) => {
    const last = app.operations.at(-1);
    return last !== undefined && ['Running', 'Terminating'].includes(phaseOf(app, last));
  };

  function sourcesOf(app: App) {
    const list = app.revisions.map((targetRevision, index) => ({
      repoURL: index === 0 ? 'https://charts.example.com' : 'https://git.example.com/acme/web',
      targetRevision,
    }));
    return app.plan.several === true ? { sources: list } : { source: list[0] };
  }

  function json(scope: string, look: boolean) {
    const app = of(scope);
    const last = app.operations.at(-1);
    if (look && last !== undefined) last.looks += 1;
    const phase = last === undefined ? undefined : phaseOf(app, last);
    const done = phase === 'Succeeded' && last !== undefined;
    const synced = done && last.version === app.revisions[0];
    const now = new Date().toISOString();
    const healthy = { status: app.plan.health ?? 'Healthy' };
    return {
      metadata: { name: scope, namespace: 'argocd' },
      spec: {
        project: 'shop',
        ...sourcesOf(app),
        ...(app.plan.auto === true ? { syncPolicy: { automated: { selfHeal: true } } } : {}),
      },
      status: {
        sync: { status: synced ? 'Synced' : 'OutOfSync', comparedTo: sourcesOf(app) },
        health: last !== undefined && last.looks > 2 ? healthy : { status: 'Progressing' },
        reconciledAt: new Date(Date.now() + 1_000).toISOString(),
        resources: [{ kind: 'Deployment', name: 'web', status: 'Synced', health: healthy }],
        history: done ? [{ ...sourcesOf(app), deployedAt: now, id: 1 }] : [],
        ...(last === undefined || phase === undefined
          ? {}
          : {
              operationState: {
                phase,
                message: last.terminated
                  ? 'Operation terminated'
                  : phase === 'Failed'
                    ? 'one or more objects failed to apply'
                    : '',
                startedAt: now,
                ...(phase === 'Running' ? {} : { finishedAt: new Date(Date.now() - 1_000).toISOString() }),
                operation: { info: last.info, sync: {} },
                syncResult: {
                  revision: last.version,
                  resources:
                    phase === 'Failed' && !last.terminated
                      ? [{ kind: 'Deployment', name: 'web', status: 'SyncFailed', message: 'quota exceeded' }]
                      : [],
                },
              },
            }),
      },
    };
  }

  function begin(scope: string, info: Operation['info']): void {
    const app = of(scope);
    app.operations.push({ info, version: app.revisions[0] ?? '', looks: 0, terminated: false });
  }

  function patched(call: ForgeCall): ForgeAnswer {
    onlyQuery(call);
    const body = bodyOf(call, patchRequest);
    allow(body.patchType === 'json' && body.project === 'shop', 'a JSON patch in the project');
    const app = of(call.scope);
    const steps = patchSteps.parse(JSON.parse(body.patch));
    for (const { op, path, value } of steps) {
      const place = /^\/spec\/(?:source|sources\/(?<index>\d))\/targetRevision$/.exec(path);
      allow(op === 'add' && place !== null && typeof value === 'string', `patch ${body.patch}`);
      allow(path.startsWith('/spec/sources/') === (app.plan.several === true), `patch ${body.patch}`);
      app.revisions[Number(place?.groups?.['index'] ?? 0)] = String(value);
    }
    if (app.plan.auto === true && !under(app)) begin(call.scope, []);
    return { status: 200, json: json(call.scope, false) };
  }

  function synced(call: ForgeCall): ForgeAnswer {
    onlyQuery(call);
    const body = bodyOf(call, syncRequest);
    allow(body.project === 'shop', 'the project');
    if (under(of(call.scope))) return problem(400, 9, 'another operation is already in progress');
    begin(call.scope, body.infos ?? []);
    return { status: 200, json: json(call.scope, false) };
  }

  function terminated(call: ForgeCall): ForgeAnswer {
    onlyQuery(call, 'appNamespace', 'project');
    const app = of(call.scope);
    const last = app.operations.at(-1);
    if (last === undefined || !under(app)) {
      return problem(400, 3, 'Unable to terminate operation. No operation is in progress');
    }
    last.terminated = true;
    last.looks = 0;
    return { status: 200, json: {} };
  }

  const routes: readonly Route[] = [
    {
      name: 'GET application',
      method: 'GET',
      path: at(''),
      answer(call) {
        onlyQuery(call, 'refresh', 'project', 'resourceVersion', 'selector', 'repo', 'appNamespace');
        return { status: 200, json: json(call.scope, true) };
      },
    },
    { name: 'PATCH application', method: 'PATCH', path: at(''), answer: patched },
    { name: 'POST sync', method: 'POST', path: at('/sync'), answer: synced },
    { name: 'DELETE operation', method: 'DELETE', path: at('/operation'), answer: terminated },
    {
      name: 'GET tree',
      method: 'GET',
      path: at('/resource-tree'),
      answer(call) {
        onlyQuery(call, 'namespace', 'name', 'version', 'group', 'kind', 'appNamespace', 'project');
        const health = { status: of(call.scope).plan.health ?? 'Healthy', message: 'crashed with exit code 1' };
        const pod = { kind: 'Pod', namespace: 'shop', name: 'web-5d', health, createdAt: '2026-01-31T12:00:00Z' };
        return { status: 200, json: { nodes: [pod] } };
      },
    },
    {
      name: 'GET logs',
      method: 'GET',
      path: at('/logs'),
      answer(call) {
        onlyQuery(call, 'namespace', 'podName', 'container', 'tailLines', 'follow', 'appNamespace', 'project');
        const count = Number(call.query.get('tailLines'));
        allow(count > 0 && call.query.get('follow') === 'false', 'the end of a log that is not followed');
        const { log } = of(call.scope).plan;
        const end = log === undefined ? 'no disk\n' : [...log.read(Math.max(log.size - count * 100, 0))].join('');
        const lines = end.trimEnd().split('\n').slice(-count);
        return {
          status: 200,
          headers: { 'content-type': 'application/json' },
          text: (function* () {
            for (const content of lines) yield `${JSON.stringify({ result: { content, podName: 'web-5d' } })}\n`;
            yield `${JSON.stringify({ result: { content: '', last: true } })}\n`;
          })(),
        };
      },
    },
  ];
  const forge = await startForge(routes, guard);
  const own = (scope: string) => of(scope).operations.filter(({ info }) => info.length > 0);
  return {
    ...forge,
    plan(scope, plan) {
      of(scope).plan = plan;
    },
    release(scope) {
      of(scope).released = true;
    },
    begun: (scope) => own(scope).length,
    terminated: (scope) => own(scope).filter((one) => one.terminated).length,
    revision: (scope) => of(scope).revisions[0] ?? '',
  };
}
