/** slack-app-manifest.yaml asks for what the code needs: no more, and no less. */

import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = 'src/adapters/chat/slack';

/**
 * The keys that we use, with their bounds. https://docs.slack.dev/reference/app-manifest and
 * https://github.com/slackapi/manifest-schema
 */
const address = z.url({ protocol: /^https$/ });
const manifestSchema = z.strictObject({
  display_information: z.strictObject({
    name: z.string().min(1).max(35),
    description: z.string().min(1).max(140),
    background_color: z.string().regex(/^#[\da-f]{3}([\da-f]{3})?$/i),
  }),
  features: z.strictObject({
    app_home: z.strictObject({
      home_tab_enabled: z.boolean(),
      messages_tab_enabled: z.boolean(),
      messages_tab_read_only_enabled: z.boolean(),
    }),
    bot_user: z.strictObject({
      display_name: z
        .string()
        .regex(/^[a-z0-9._-]+$/)
        .max(80),
      always_online: z.boolean(),
    }),
    slash_commands: z
      .array(
        z.strictObject({
          command: z.string().regex(/^\//).max(32),
          description: z.string().min(1).max(2000),
          usage_hint: z.string().min(1).max(1000),
          should_escape: z.boolean().optional(),
          url: address.optional(),
        }),
      )
      .min(1)
      .max(50),
    agent_view: z.strictObject({
      agent_description: z.string().min(1).max(300),
      suggested_prompts: z.array(z.strictObject({ title: z.string().min(1), message: z.string().min(1) })).max(4),
    }),
  }),
  oauth_config: z.strictObject({ scopes: z.strictObject({ bot: z.array(z.string().max(50)).min(1).max(255) }) }),
  settings: z.strictObject({
    event_subscriptions: z.strictObject({
      request_url: address.optional(),
      bot_events: z.array(z.string().max(50)).min(1).max(100),
    }),
    interactivity: z.strictObject({
      is_enabled: z.boolean(),
      request_url: address.optional(),
      message_menu_options_url: address.optional(),
    }),
    org_deploy_enabled: z.boolean(),
    socket_mode_enabled: z.boolean(),
    token_rotation_enabled: z.boolean(),
  }),
});

const HISTORY = ['channels:history', 'groups:history', 'im:history', 'mpim:history'];
const READ = ['channels:read', 'groups:read', 'im:read', 'mpim:read'];

/**
 * Web API method → the bot scopes of which it takes one for each kind of channel that we use it for. From the facts at
 * `https://docs.slack.dev/reference/methods/<method>`.
 */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  // With the app-level token, whose scope is connections:write.
  'apps.connections.open': [],
  // https://docs.slack.dev/reference/scopes/assistant.write
  'assistant.threads.setSuggestedPrompts': ['assistant:write'],
  'assistant.threads.setTitle': ['assistant:write'],
  // https://docs.slack.dev/changelog/2026/03/05/set-status-scope-update
  'assistant.threads.setStatus': ['chat:write'],
  'auth.test': [],
  'bots.info': ['users:read'],
  'chat.appendStream': ['chat:write'],
  'chat.delete': ['chat:write'],
  'chat.getPermalink': [],
  'chat.postEphemeral': ['chat:write'],
  // Into public channels where the robot is not: chat:write.public; under another name: chat:write.customize.
  'chat.postMessage': ['chat:write', 'chat:write.public', 'chat:write.customize'],
  'chat.startStream': ['chat:write'],
  'chat.stopStream': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.history': HISTORY,
  'conversations.info': READ,
  'conversations.list': READ,
  'conversations.members': READ,
  // One person: im:write. Several would need mpim:write.
  'conversations.open': ['im:write'],
  'conversations.replies': HISTORY,
  'conversations.setTopic': ['channels:write.topic', 'groups:write.topic'],
  'files.completeUploadExternal': ['files:write'],
  'files.getUploadURLExternal': ['files:write'],
  'files.info': ['files:read'],
  'reactions.add': ['reactions:write'],
  'reactions.get': ['reactions:read'],
  'reactions.remove': ['reactions:write'],
  'team.info': ['team:read'],
  'usergroups.list': ['usergroups:read'],
  'usergroups.users.list': ['usergroups:read'],
  'usergroups.users.update': ['usergroups:write'],
  'users.conversations': READ,
  // The address of a person is in users.info and users.list only with users:read.email.
  'users.info': ['users:read', 'users:read.email'],
  'users.list': ['users:read', 'users:read.email'],
  'users.lookupByEmail': ['users:read.email'],
  'views.open': [],
  'views.publish': [],
  'views.push': [],
  'views.update': [],
};

/** Helpers of the client, and what they call. */
const HELPERS: Readonly<Record<string, readonly string[]>> = {
  filesUploadV2: ['files.getUploadURLExternal', 'files.completeUploadExternal'],
  'files.uploadV2': ['files.getUploadURLExternal', 'files.completeUploadExternal'],
  chatStream: ['chat.startStream', 'chat.appendStream', 'chat.stopStream'],
};

/** Event → the scopes of which it takes one each. From the facts at `https://docs.slack.dev/reference/events/<event>`. */
const EVENTS: Readonly<Record<string, readonly string[]>> = {
  app_home_opened: [],
  app_mention: ['app_mentions:read'],
  app_uninstalled: [],
  channel_archive: ['channels:read'],
  channel_deleted: ['channels:read'],
  channel_left: ['channels:read'],
  channel_rename: ['channels:read'],
  channel_shared: ['channels:read'],
  channel_unarchive: ['channels:read'],
  channel_unshared: ['channels:read'],
  group_archive: ['groups:read'],
  group_deleted: ['groups:read'],
  group_left: ['groups:read'],
  group_rename: ['groups:read'],
  group_unarchive: ['groups:read'],
  im_created: ['im:read'],
  member_joined_channel: ['channels:read', 'groups:read'],
  member_left_channel: ['channels:read', 'groups:read'],
  'message.channels': ['channels:history'],
  'message.groups': ['groups:history'],
  'message.im': ['im:history'],
  'message.mpim': ['mpim:history'],
  reaction_added: ['reactions:read'],
  reaction_removed: ['reactions:read'],
  subteam_created: ['usergroups:read'],
  subteam_members_changed: ['usergroups:read'],
  subteam_updated: ['usergroups:read'],
  team_domain_change: ['team:read'],
  team_join: ['users:read'],
  team_rename: ['team:read'],
  tokens_revoked: [],
  user_change: ['users:read'],
};

/** Scopes that something else than a method or an event needs, and what. */
const OTHERWISE: Readonly<Record<string, string>> = {
  commands: 'features.slash_commands',
  'files:read': 'url_private of files that people attach',
};

/** Listened to, and not subscribed to: why. */
const NOT_SUBSCRIBED: Readonly<Record<string, string>> = {
  // https://docs.slack.dev/ai/migrating-to-agent-messaging
  assistant_thread_started: 'sent to apps with assistant_view, which new apps cannot have',
  assistant_thread_context_changed: 'sent to apps with assistant_view, which new apps cannot have',
  // https://docs.slack.dev/reference/methods/usergroups.users.update
  subteam_self_added: 'about the groups of the account itself; an app can be in none',
  subteam_self_removed: 'about the groups of the account itself; an app can be in none',
  // https://docs.slack.dev/reference/events/user_profile_changed
  user_profile_changed: 'user_change comes with it',
};

async function manifest(): Promise<z.infer<typeof manifestSchema>> {
  return manifestSchema.parse(parse(await readFile(`${root}slack-app-manifest.yaml`, 'utf8')));
}

/** The code of the adapter, without comments. */
async function code(): Promise<string> {
  const entries = await readdir(`${root}${FOLDER}`, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
  const texts = await Promise.all(files.map(({ parentPath, name }) => readFile(`${parentPath}/${name}`, 'utf8')));
  return texts.map((text) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')).join('\n');
}

/** `app.event('name', …)`, and `for (const name of ['a', 'b'] as const) app.event(name, …)`. */
function listenedTo(text: string): Set<string> {
  const names = [...text.matchAll(/\bapp\.event\(\s*'(\w+)'/g)].map((found) => found[1] ?? '');
  const loops = [
    ...text.matchAll(/for \(const (\w+) of (?:\[([^\]]*)\](?: as const)?|([A-Z_]+))\)\s*\{?\s*app\.event\(\s*\1\b/g),
  ];
  for (const [, , inline, constant] of loops) {
    const list = inline ?? new RegExp(`const ${constant}\\b[^=]*= \\[([^\\]]*)\\]`).exec(text)?.[1] ?? '';
    names.push(...[...list.matchAll(/'(\w+)'/g)].map((found) => found[1] ?? ''));
  }
  const calls = [...text.matchAll(/\bapp\.event\(/g)].length;
  const understood = [...text.matchAll(/\bapp\.event\(\s*'/g)].length + loops.length;
  expect(understood, 'an app.event(…) whose name this test cannot read: write it as a literal').to.equal(calls);
  if (/\bapp\.message\(/.test(text)) names.push('message');
  return new Set(names);
}

/** `web.chat.postMessage(…)` and `client.chat.postMessage(…)`; `apiCall('chat.postMessage')`. */
function called(text: string): Set<string> {
  const direct = [...text.matchAll(/\b(?:web|client)\s*\.\s*([a-z]\w*(?:\s*\.\s*[a-zA-Z]\w*)*)\s*\(/g)];
  const named = [...text.matchAll(/\.apiCall\(\s*'([\w.]+)'/g)];
  const names = [...direct, ...named]
    .map((found) => (found[1] ?? '').replaceAll(/\s/g, ''))
    .filter((name) => name.includes('.') || name in HELPERS);
  return new Set(names.flatMap((name) => HELPERS[name] ?? [name]));
}

describe('slack-app-manifest.yaml', () => {
  it('is a manifest, for Socket Mode, with nothing twice', async () => {
    const { settings, oauth_config } = await manifest();
    expect(settings.socket_mode_enabled).to.equal(true);
    expect(settings.interactivity.is_enabled).to.equal(true);
    for (const list of [settings.event_subscriptions.bot_events, oauth_config.scopes.bot])
      expect(list).to.deep.equal([...new Set(list)]);
  });

  it('is one for HTTP, too, with what its end says', async () => {
    const text = await readFile(`${root}slack-app-manifest.yaml`, 'utf8');
    const [, end = ''] = text.split(/^# By HTTP instead.*$/m);
    const variant: unknown = parse(
      end
        .split('\n')
        .filter((line) => line.startsWith('#   '))
        .map((line) => line.slice(4))
        .join('\n'),
    );
    const read = z
      .object({
        features: z.object({ slash_commands: z.tuple([z.object({ command: z.string(), url: address })]) }),
        settings: manifestSchema.shape.settings.partial().extend({
          event_subscriptions: z.strictObject({ request_url: address }),
          interactivity: manifestSchema.shape.settings.shape.interactivity.required(),
        }),
      })
      .parse(variant);
    expect(read.settings.socket_mode_enabled).to.equal(false);
    const { features } = await manifest();
    expect(read.features.slash_commands[0].command).to.equal(features.slash_commands[0]?.command);
    const paths = [
      read.features.slash_commands[0].url,
      read.settings.event_subscriptions.request_url,
      read.settings.interactivity.request_url,
      read.settings.interactivity.message_menu_options_url,
    ].map((url) => new URL(url).pathname);
    const source = await code();
    for (const path of paths) expect(source.includes(`'${path}'`), `${path} is served`).to.equal(true);
  });

  it('says of every scope what it is for', async () => {
    const lines = (await readFile(`${root}slack-app-manifest.yaml`, 'utf8')).split('\n');
    const { oauth_config } = await manifest();
    for (const scope of oauth_config.scopes.bot) {
      const line = lines.findIndex((each) => new RegExp(`^ +- ${scope.replaceAll('.', '\\.')}(\\s|$)`).test(each));
      const said = lines[line]?.includes(' # ') || /^ +# \S/.test(lines[line - 1] ?? '');
      expect(said, `${scope} has no comment`).to.equal(true);
    }
  });

  it('suggests commands that exist', async () => {
    const page = await readFile(`${root}docs/reference/commands.md`, 'utf8');
    const usages = [...page.matchAll(/^### `([^`]+)`/gm)].map((found) => found[1] ?? '');
    for (const { message } of (await manifest()).features.agent_view.suggested_prompts)
      expect(
        usages.some((usage) => usage === message || usage.startsWith(`${message} [`)),
        `${message} is no command`,
      ).to.equal(true);
  });

  it('subscribes to every event that the code listens to, and to no other', async () => {
    const { settings } = await manifest();
    const subscribed = settings.event_subscriptions.bot_events.map((name) => name.replace(/^message\..*$/, 'message'));
    const listened = [...listenedTo(await code())].filter((name) => !(name in NOT_SUBSCRIBED));
    expect([...new Set(subscribed)].sort()).to.deep.equal(listened.sort());
  });

  it('has the scopes of every method that is called and of every event, and no other', async () => {
    const { settings, oauth_config } = await manifest();
    const needed = new Map(Object.entries(OTHERWISE));
    for (const event of settings.event_subscriptions.bot_events) {
      expect(EVENTS, `the scopes of the event ${event} are not in this test`).to.have.property(event);
      for (const scope of EVENTS[event] ?? []) needed.set(scope, event);
    }
    const methods = called(await code());
    expect(methods.size).to.be.greaterThan(10);
    for (const method of methods) {
      expect(METHODS, `the scopes of ${method} are not in this test`).to.have.property(method);
      for (const scope of METHODS[method] ?? []) needed.set(scope, method);
    }
    for (const [scope, why] of needed) expect(oauth_config.scopes.bot, `${why} needs ${scope}`).to.include(scope);
    for (const scope of oauth_config.scopes.bot) expect([...needed.keys()], `nothing needs ${scope}`).to.include(scope);
  });
});
