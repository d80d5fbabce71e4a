/** The whole configuration: environment, YAML files, and what the command line overrides. Every problem is reported at once. */

import { join, resolve } from 'node:path';
import type { AccessPolicy } from '../domain/access/policy.ts';
import type { AlertsConfig } from '../domain/alerts/config.ts';
import type { ServicesConfig } from '../domain/deploy/config.ts';
import { accessSchema } from './access.ts';
import { alertsSchema } from './alerts.ts';
import type { Problem } from './problem.ts';
import { servicesSchema } from './services.ts';
import { readVariables, type VariableValues } from './variables.ts';
import { readYaml, type YamlResult } from './yaml.ts';

export interface Config {
  /** Folder of the project: scripts, configuration, runbooks. */
  readonly root: string;
  readonly variables: VariableValues;
  readonly services: ServicesConfig;
  readonly alerts: AlertsConfig;
  readonly access: AccessPolicy;
  /** Absolute path of the data folder. */
  readonly data: string;
  readonly configFolder: string;
  readonly runbooks: string;
  readonly http: {
    readonly enabled: boolean;
    readonly host: string;
    /** Undefined: the first free one from 8080 to 8089. */
    readonly port: number | undefined;
    /** Whether people and programs of other machines may reach it. */
    readonly open: boolean;
  };
  /** Chats to be in, the main one first. */
  readonly chats: readonly string[];
  readonly webChat: boolean;
  /** What colours, and what target programs get, is taken from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What the command line says; it wins over the environment. */
export interface Overrides {
  readonly adapter?: string;
  readonly name?: string;
  readonly alias?: string;
}

/**
 * @param env usually process.env
 * @returns the configuration, as far as it can be read, and everything that is wrong with it
 */
export async function loadConfig(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
  overrides: Overrides = {},
): Promise<{ readonly config: Config | undefined; readonly problems: readonly Problem[] }> {
  const { values, problems } = readVariables({
    ...env,
    ...(overrides.adapter === undefined ? {} : { HUBOT_ADAPTER: overrides.adapter }),
    ...(overrides.name === undefined ? {} : { HUBOT_NAME: overrides.name }),
    ...(overrides.alias === undefined ? {} : { HUBOT_ALIAS: overrides.alias }),
  });
  const folder = resolve(root, values.SHIPMATE_CONFIG);
  const shown = values.SHIPMATE_CONFIG.replace(/\/$/, '');
  const [services, alerts, access] = await Promise.all([
    readYaml(join(folder, 'services.yaml'), `${shown}/services.yaml`, servicesSchema, {}),
    readYaml(join(folder, 'alerts.yaml'), `${shown}/alerts.yaml`, alertsSchema, {}),
    readYaml(join(folder, 'access.yaml'), `${shown}/access.yaml`, accessSchema, {}),
  ]);
  const http = httpOf(values);
  const chats = values.HUBOT_ADAPTER.split(',')
    .map((chat) => chat.trim())
    .filter(Boolean);
  const all = [
    ...problems,
    ...problemsOf(services),
    ...problemsOf(alerts),
    ...problemsOf(access),
    ...conflicts(values, chats, http.open),
  ];
  if (!services.ok || !alerts.ok || !access.ok || all.length > 0) return { config: undefined, problems: all };
  return {
    config: {
      root,
      variables: values,
      services: services.value,
      alerts: alerts.value,
      access: access.value,
      data: resolve(root, values.SHIPMATE_DATA),
      configFolder: folder,
      runbooks: resolve(root, values.SHIPMATE_RUNBOOKS),
      http,
      chats,
      webChat: chats.includes('web') && http.enabled && (values.SHIPMATE_WEB ?? !http.open),
      environment: env,
    },
    problems: [],
  };
}

function problemsOf(result: YamlResult<unknown>): readonly Problem[] {
  return result.ok ? [] : result.problems;
}

function httpOf(values: VariableValues): Config['http'] {
  const port = values.EXPRESS_PORT ?? values.PORT;
  const told = values.EXPRESS_BIND_ADDRESS ?? values.BIND_ADDRESS;
  const host = told ?? (port !== undefined && values.DYNO !== undefined ? '0.0.0.0' : '127.0.0.1');
  return { enabled: values.HUBOT_HTTPD, host, port, open: !isLoopback(host) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

/** What is right by itself and wrong together. */
function conflicts(values: VariableValues, chats: readonly string[], open: boolean): Problem[] {
  const problems: Problem[] = [];
  const add = (key: string, message: string) => problems.push({ file: 'environment', key, message });
  if (chats.length === 0) add('HUBOT_ADAPTER', 'names no chat');
  if (new Set(chats).size < chats.length) add('HUBOT_ADAPTER', 'names a chat twice');
  if (!/^\S+$/.test(values.HUBOT_NAME)) add('HUBOT_NAME', 'must be one word');
  if (chats[0] === 'web' && !values.HUBOT_HTTPD) add('HUBOT_HTTPD', 'must be on for the web chat');
  if (open && values.SHIPMATE_WEB === true) {
    if (values.SHIPMATE_WEB_TOKEN === undefined)
      add('SHIPMATE_WEB_TOKEN', 'must be set to switch the web chat on at a public address');
    if (values.SHIPMATE_PUBLIC_URL === undefined)
      add(
        'SHIPMATE_PUBLIC_URL',
        'must be set to switch the web chat on at a public address: it is where people open it',
      );
  }
  if ((values.EXPRESS_USER === undefined) !== (values.EXPRESS_PASSWORD === undefined)) {
    add('EXPRESS_USER', 'and EXPRESS_PASSWORD are given together or not at all');
  }
  return problems;
}
