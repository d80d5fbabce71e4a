/** The whole configuration: environment, YAML files, and what the command line overrides. Every problem is reported at once. */

import { basename, join, resolve } from 'node:path';
import { chatName } from '../bot/chat.ts';
import type { AccessPolicy } from '../domain/access/policy.ts';
import type { AlertsConfig } from '../domain/alerts/config.ts';
import type { ServicesConfig } from '../domain/deploy/config.ts';
import { accessSchema } from './access.ts';
import { alertsSchema } from './alerts.ts';
import { folderThere, missingPrograms, strayFiles } from './present.ts';
import type { Problem } from './problem.ts';
import { servicesSchema } from './services.ts';
import { type SlackAccount, type SlackFile, slackSchema, slackWorkspaces } from './slack.ts';
import { readVariables, type VariableValues } from './variables.ts';
import { type Finding, readYaml, type YamlResult } from './yaml.ts';

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
  /** The workspaces of the chat `slack`, the main one first; none if it is not one of the chats. */
  readonly slack: readonly SlackAccount[];
  /** What colours, and what target programs get, is taken from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What the command line says; it wins over the environment. */
export interface Overrides {
  readonly adapter?: string;
  readonly name?: string;
  readonly alias?: string;
  /** File of an adapter. */
  readonly file?: string;
  /** Whether HTTP is off. */
  readonly disableHttpd?: boolean;
  /** Scripts and folders of scripts, besides those of the environment. */
  readonly scripts?: readonly string[];
}

/** The YAML files that are read. */
const FILES = ['services.yaml', 'alerts.yaml', 'access.yaml', 'slack.yaml'] as const;

export interface LoadedConfig {
  /** Undefined if there is any problem. */
  readonly config: Config | undefined;
  /** What could be read; the defaults stand for what could not. Good for looking for more problems, not for a start. */
  readonly readable: Config;
  readonly problems: readonly Problem[];
}

/**
 * @param env usually process.env
 * @returns the configuration, as far as it can be read, and everything that is wrong with it
 */
export async function loadConfig(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
  overrides: Overrides = {},
): Promise<LoadedConfig> {
  const { values, problems } = readVariables({ ...env, ...asVariables(overrides, env) });
  const folder = resolve(root, values.SHIPMATE_CONFIG);
  const shown = values.SHIPMATE_CONFIG.replace(/\/$/, '');
  const http = httpOf(values);
  const chats = chatsOf(values);
  const slackFile = await readYaml(join(folder, FILES[3]), `${shown}/${FILES[3]}`, slackSchema, {});
  const slack = slackOf(slackFile, chats, values, env);
  const rooms = [...chats.map(chatName), ...slack.workspaces.map(({ chat }) => chat)];
  const [services, alerts, access, stray, missing] = await Promise.all([
    readYaml(join(folder, FILES[0]), `${shown}/${FILES[0]}`, servicesSchema, {}, (found) =>
      missingPrograms(found, root, env),
    ),
    readYaml(join(folder, FILES[1]), `${shown}/${FILES[1]}`, alertsSchema, {}, (found) =>
      unknownChats(found, [...new Set(rooms)]),
    ),
    readYaml(join(folder, FILES[2]), `${shown}/${FILES[2]}`, accessSchema, {}),
    strayFiles(folder, shown, FILES),
    missingPaths(root, env, values),
  ]);
  const all = [
    ...problems,
    ...conflicts(values, chats, http.open),
    ...missing,
    ...stray,
    ...problemsOf(services),
    ...problemsOf(alerts),
    ...problemsOf(access),
    ...problemsOf(slackFile),
    ...slack.problems,
  ];
  const readable: Config = {
    root,
    variables: values,
    services: services.ok ? services.value : servicesSchema.parse({}),
    alerts: alerts.ok ? alerts.value : alertsSchema.parse({}),
    access: access.ok ? access.value : accessSchema.parse({}),
    data: resolve(root, values.SHIPMATE_DATA),
    configFolder: folder,
    runbooks: resolve(root, values.SHIPMATE_RUNBOOKS),
    http,
    chats,
    webChat: chats.includes('web') && http.enabled && (values.SHIPMATE_WEB ?? !http.open),
    slack: slack.workspaces,
    environment: env,
  };
  return { config: all.length > 0 ? undefined : readable, readable, problems: all };
}

/** What the command line says, as the variables that say the same. */
function asVariables(
  { adapter, name, alias, file, disableHttpd, scripts = [] }: Overrides,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return {
    ...(adapter === undefined ? {} : { HUBOT_ADAPTER: adapter }),
    ...(name === undefined ? {} : { HUBOT_NAME: name }),
    ...(alias === undefined ? {} : { HUBOT_ALIAS: alias }),
    ...(file === undefined ? {} : { HUBOT_FILE: file }),
    ...(disableHttpd ? { HUBOT_HTTPD: 'false' } : {}),
    ...(scripts.length > 0 ? { HUBOT_SCRIPTS: [env['HUBOT_SCRIPTS'] ?? '', ...scripts].join(',') } : {}),
  };
}

/** The chats by the names of their adapters. An adapter that only a file names is called as Hubot calls it. */
function chatsOf(values: VariableValues): string[] {
  const own = values.HUBOT_FILE === undefined ? 'web' : (basename(values.HUBOT_FILE).split('.')[0] ?? '');
  return (values.HUBOT_ADAPTER ?? own)
    .split(',')
    .map((chat) => chat.trim())
    .filter(Boolean)
    .map((chat) => (isOurs(chat) ? chat.toLowerCase() : chat));
}

/** Hubot's own shell adapter is called `Shell`. hubot-slack and others are reached by the names of their packages. */
function isOurs(chat: string): boolean {
  return /^(web|shell|slack)$/i.test(chat);
}

/** The workspaces to be in; tokens are asked for only if the robot is to be in Slack. */
function slackOf(
  file: YamlResult<SlackFile>,
  chats: readonly string[],
  values: VariableValues,
  env: Readonly<Record<string, string | undefined>>,
): ReturnType<typeof slackWorkspaces> {
  if (!chats.includes('slack')) return { workspaces: [], problems: [] };
  return slackWorkspaces(file.ok ? file.value : slackSchema.parse({}), values, env);
}

/** Folders and files that were named and are not there. The usual folders need not be. */
async function missingPaths(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
  values: VariableValues,
): Promise<Problem[]> {
  const given = (key: 'SHIPMATE_CONFIG' | 'SHIPMATE_RUNBOOKS') => (env[key]?.trim() ? values[key] : undefined);
  const found = await Promise.all([
    folderThere('EXPRESS_STATIC', root, values.EXPRESS_STATIC),
    folderThere('SHIPMATE_CONFIG', root, given('SHIPMATE_CONFIG')),
    folderThere('SHIPMATE_RUNBOOKS', root, given('SHIPMATE_RUNBOOKS')),
  ]);
  return found.flat();
}

/** Rooms of chats that the robot is not in. */
function unknownChats({ room, routes }: AlertsConfig, known: readonly string[]): Finding[] {
  const rooms = [
    { path: ['room'], room },
    ...routes.map((route, at) => ({ path: ['routes', at, 'room'], room: route.room })),
  ];
  return rooms.flatMap(({ path, room }) => {
    const [, chat] = /^([a-z][a-z0-9-]*):/.exec(room) ?? [];
    if (chat === undefined || known.includes(chat)) return [];
    return [{ path, message: `there is no chat called ${chat}; HUBOT_ADAPTER names ${known.join(', ')}` }];
  });
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
  if (values.HUBOT_FILE !== undefined && chats.filter((chat) => !isOurs(chat)).length !== 1)
    add('HUBOT_FILE', `needs one chat in HUBOT_ADAPTER besides web, slack and shell (there is ${chats.join(', ')})`);
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
