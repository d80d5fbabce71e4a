/**
 * Every error that a person can meet: what happened and why (`text`), and what to do now (`next`). Both are Markdown; outside
 * data in them goes through `plain()`. The page docs/reference/errors.md is made from this file.
 */

import { codeSpan, plain } from './card.ts';

interface Entry<P> {
  text(params: P): string;
  next(params: P): string;
}

function entry<P>(text: (params: P) => string, next: (params: P) => string): Entry<P> {
  return { text, next };
}

/** Up to eight values as a person reads them: `a`, `b` or `c`. */
export function alternatives(values: readonly string[]): string {
  const shown = values.slice(0, 8).map((value) => `\`${value}\``);
  if (values.length > shown.length) return `${shown.join(', ')} … (${values.length} in all)`;
  if (shown.length < 2) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}

/** How to type a command: its usage, and one line that works. */
function typeLike({ usage, example }: { usage: string; example: string | undefined }): string {
  return `Type \`${usage}\`${example === undefined ? '' : `, for example \`${example}\``}.`;
}

export const catalogue = {
  'command.unknown': entry<{ typed: string; suggestions: readonly string[] }>(
    ({ typed }) => `I know no command ${codeSpan(typed)}.`,
    ({ suggestions }) =>
      suggestions.length > 0 ? `Did you mean ${alternatives(suggestions)}?` : 'Type `help` to see what you can run.',
  ),
  'command.incomplete': entry<{ missing: string; usage: string; example: string | undefined }>(
    ({ missing }) => `Something is missing: ${missing}.`,
    typeLike,
  ),
  'command.excess': entry<{ excess: string; usage: string; example: string | undefined }>(
    ({ excess }) => `I do not understand ${codeSpan(excess)} here.`,
    typeLike,
  ),
  'command.value': entry<{ argument: string; problem: string; allowed: readonly string[]; usage: string }>(
    ({ argument, problem }) => `**${plain(argument)}**: ${problem}.`,
    ({ allowed, usage }) => (allowed.length > 0 ? `Give ${alternatives(allowed)}.` : `The command is \`${usage}\`.`),
  ),
  'command.flag': entry<{ flag: string; allowed: readonly string[]; usage: string }>(
    ({ flag }) => `This command has no option ${codeSpan(flag)}.`,
    ({ allowed, usage }) =>
      allowed.length > 0 ? `It has ${alternatives(allowed)}.` : `It has no options: \`${usage}\`.`,
  ),
  'command.long': entry<{ limit: number }>(
    ({ limit }) => `That is longer than ${limit} characters.`,
    () => 'Send less text.',
  ),
  'command.rate': entry<{ seconds: number; limit: number }>(
    ({ limit }) => `You sent more than ${limit} commands in a minute.`,
    ({ seconds }) => `Try again in ${seconds} s.`,
  ),
  'command.edited': entry<Record<never, never>>(
    () => 'You corrected an earlier message; I run what only reads again, never a change.',
    () => 'Send the corrected line as a new message.',
  ),
  'command.repeated': entry<{ state: string }>(
    ({ state }) =>
      state === 'interrupted'
        ? 'I was stopped while I ran this, and I never run a change twice.'
        : `This message was run before (${state}); a change is never run twice.`,
    () => 'Look whether it took effect (`audit` shows when it began); type the command again if you still want it.',
  ),
  'command.proposal': entry<{ usage: string }>(
    ({ usage }) => `\`${usage}\` changes something, and only a person can ask for a change.`,
    () => 'Propose the command; a person presses it.',
  ),
  'command.secret': entry<Record<never, never>>(
    () => 'There seems to be a secret in that command, and I do not keep secrets while a command waits.',
    () => 'Leave the secret out; put it where the program that needs it can read it.',
  ),
  'help.nothing': entry<{ topic: string; near: readonly string[] }>(
    ({ topic }) => `I know nothing about ${codeSpan(topic.slice(0, 60))} that you may run.`,
    ({ near }) => (near.length > 0 ? `Did you mean ${alternatives(near)}?` : 'Type `help` to see everything.'),
  ),
  'access.denied': entry<{ permission: string; roles: readonly string[]; granters: readonly string[] }>(
    ({ permission }) => `You may not do that: it needs the permission \`${permission}\`.`,
    ({ roles, granters }) => {
      const how =
        roles.length > 0
          ? `The role ${alternatives(roles)} has it. `
          : 'No role has it yet: see `config/access.yaml`. ';
      const who =
        granters.length > 0
          ? `Ask ${granters.map(plain).join(' or ')}.`
          : 'Ask whoever looks after `config/access.yaml`.';
      return how + who;
    },
  ),
  'access.outside': entry<{ id: string; granters: readonly string[] }>(
    () =>
      'I work for the people of this team, and your account is a guest, of another organisation, or not known to me.',
    ({ id, granters }) => {
      const who =
        granters.length > 0
          ? `${granters.map(plain).join(' or ')} can give it a role`
          : 'Whoever looks after `config/access.yaml` can give it a role';
      return `If you belong to it: ${who}, for example with \`grant ${id} <role>\`.`;
    },
  ),
  'access.inactive': entry<{ id: string }>(
    ({ id }) => `The account \`${id}\` is deactivated, so it has no rights here.`,
    () => 'Ask whoever looks after the accounts of that chat.',
  ),
  'access.unavailable': entry<Record<never, never>>(
    () => 'I cannot check who may do that right now, so I do not do it.',
    () => 'Try again in a moment; if it stays so, look at the log.',
  ),
  'access.role': entry<{ role: string; roles: readonly string[] }>(
    ({ role }) => `There is no role ${codeSpan(role)}.`,
    ({ roles }) => `Give ${alternatives(roles)}.`,
  ),
  'access.file': entry<{ person: string; role: string }>(
    ({ person, role }) => `${plain(person)} has the role \`${role}\` from \`config/access.yaml\`, not from a grant.`,
    () => 'Change the file to take it away.',
  ),
  'access.last': entry<Record<never, never>>(
    () => 'That would leave nobody who may grant roles.',
    () => 'Grant `admin` to somebody else first.',
  ),
  'proposal.gone': entry<{ code: string }>(
    ({ code }) => `There is nothing to confirm under ${codeSpan(code)}: it was answered, has expired or never was.`,
    () => 'Type the command again.',
  ),
  'proposal.other': entry<{ person: string }>(
    ({ person }) => `Only ${plain(person)}, who asked for it, can confirm it.`,
    () => 'Type the command yourself if you want it and may run it.',
  ),
  'proposal.alone': entry<Record<never, never>>(
    () => 'Somebody else must approve this, and nobody else sees what is said here.',
    () => 'Type it in a room.',
  ),
  'proposal.own': entry<Record<never, never>>(
    () => 'Somebody else must approve this; you asked for it.',
    () => 'Ask a colleague to press *Approve*.',
  ),
  'proposal.role': entry<{ role: string }>(
    ({ role }) => `Only people who have the role ${codeSpan(role)} can approve this.`,
    ({ role }) => `Ask one of them; who may give roles can give you that one: \`grant @you ${role}\`.`,
  ),
  'proposal.twice': entry<{ more: number }>(
    () => 'You have approved this already.',
    ({ more }) => `${more === 1 ? 'One more person' : `${more} more people`} must approve it.`,
  ),
  'proposal.changed': entry<Record<never, never>>(
    () => 'What was asked for is no longer what would happen, so nobody can approve it any more.',
    () => 'Type the command again, and have that approved.',
  ),
  'proposal.person': entry<Record<never, never>>(
    () => 'A person must approve this, and a token is none.',
    () => 'Approve it in chat.',
  ),
  'token.name': entry<{ typed: string }>(
    ({ typed }) => `${codeSpan(typed.slice(0, 60))} cannot be the name of a token.`,
    () => 'A name has up to 40 small letters, digits and `. _ -`, and begins with a letter or a digit.',
  ),
  'token.taken': entry<{ name: string }>(
    ({ name }) => `There is a token \`${name}\` already.`,
    ({ name }) => `Take another name, or type \`token revoke ${name}\` first.`,
  ),
  'token.permission': entry<{ typed: string }>(
    ({ typed }) => `${codeSpan(typed.slice(0, 60))} is no permission.`,
    () =>
      'A permission looks like `deploy:production` or `deploy:*`; `help deploy` names the one that a command takes.',
  ),
  'token.beyond': entry<{ permissions: readonly string[] }>(
    ({ permissions }) => `A token cannot do more than who makes it, and you do not hold ${alternatives(permissions)}.`,
    () => 'Leave that out, or ask somebody who holds it to make the token; `whoami` shows what you hold.',
  ),
  'token.people': entry<{ permission: string }>(
    ({ permission }) => `Only a person can do that: no token has \`${permission}\`, whatever else it holds.`,
    () => 'Type it in a chat.',
  ),
  'token.life': entry<{ typed: string; days: number }>(
    ({ typed, days }) =>
      `${codeSpan(typed.slice(0, 60))} is no time that a token can be good for: at most ${days} days.`,
    () => 'Say for example `for 90d`.',
  ),
  'token.unknown': entry<{ name: string }>(
    ({ name }) => `There is no token ${codeSpan(name.slice(0, 60))}.`,
    () => '`token list` shows those that there are.',
  ),
  'token.maker': entry<Record<never, never>>(
    () => 'Only a person can make a token.',
    () => 'Type it in a chat.',
  ),
  'token.private': entry<Record<never, never>>(
    () => 'Whoever opens the link first has the token, so I do not show it where others read.',
    () => 'Ask me in a direct conversation.',
  ),
  'token.off': entry<Record<never, never>>(
    () => 'HTTP is off, so no program can reach me.',
    () => 'Start me without `HUBOT_HTTPD=false`.',
  ),
  'token.denied': entry<{ name: string; permission: string }>(
    ({ name, permission }) => `The token ${name} may not do that: it needs the permission \`${permission}\`.`,
    () => 'Make one that has it with `token new`. A token cannot do what its maker may no longer do.',
  ),
  'api.unauthorized': entry<Record<never, never>>(
    () => 'The token is missing, wrong, revoked or expired.',
    () => 'Send a good one as `Authorization: Bearer shp_…`; `token new` makes one.',
  ),
  'api.attempts': entry<{ seconds: number }>(
    () => 'Too many requests with a wrong token came from this address.',
    ({ seconds }) => `Wait ${seconds} s, then send a good one.`,
  ),
  'api.busy': entry<{ limit: number }>(
    ({ limit }) => `This token has ${limit} requests open already.`,
    () => 'Wait for one to end.',
  ),
  'api.method': entry<{ allowed: string }>(
    () => 'That method does nothing here.',
    ({ allowed }) => `Use ${allowed}.`,
  ),
  'api.body': entry<{ problem: string }>(
    ({ problem }) => `The request cannot be read: ${plain(problem)}.`,
    () => 'Send the command as text, or as JSON such as `{"command": "deploy hello to staging"}`.',
  ),
  'api.confirm': entry<{ question: string }>(
    ({ question }) => `This asks first: ${question}`,
    () => 'If you are sure, send it again with `confirm=yes` in the address or `"confirm": true` in the JSON.',
  ),
  'api.key': entry<Record<never, never>>(
    () => 'That idempotency key was used for another command.',
    () => 'Take a key of its own for each command: `build-1742-deploy`.',
  ),
  'api.request': entry<Record<never, never>>(
    () => 'This token has no such request, or it is older than a week.',
    () => 'Send the command with POST; the answer names its request.',
  ),
  'api.stopping': entry<{ request: string }>(
    () => 'The robot is stopping; what is under way goes on or is taken up again.',
    ({ request }) => `Ask for the rest with GET /api/commands/${request}.`,
  ),
  'deploy.service': entry<{ service: string; known: readonly string[] }>(
    ({ service }) => `There is no service ${plain(service)}.`,
    ({ known }) => (known.length > 0 ? `Give ${alternatives(known)}.` : 'Describe one in `config/services.yaml`.'),
  ),
  'deploy.environment': entry<{ service: string; environment: string; known: readonly string[] }>(
    ({ service, environment }) => `${plain(service)} does not run in ${plain(environment)}.`,
    ({ known }) => `Give ${alternatives(known)}.`,
  ),
  'deploy.version': entry<{ service: string; version: string; known: readonly string[] }>(
    ({ service, version }) => `${plain(service)} has no version ${plain(version)}.`,
    ({ known }) => (known.length > 0 ? `Give ${alternatives(known)}.` : 'There is no version to deploy yet.'),
  ),
  'deploy.version-missing': entry<{ service: string }>(
    ({ service }) => `I do not know which version of ${plain(service)} is the newest.`,
    ({ service }) => `Name one: \`deploy ${service} <version> to <environment>\`.`,
  ),
  'deploy.version-form': entry<{ version: string }>(
    ({ version }) => `${plain(version)} cannot be a version.`,
    () => 'A version is made of letters, digits and `. _ - + : / @`, and begins with a letter or a digit.',
  ),
  'deploy.version-name': entry<{ service: string; version: string; source: string }>(
    ({ service, version, source }) =>
      `${plain(service)} has no version ${plain(version)}, and ${plain(source)} has no such tag, branch or commit.`,
    () => 'Check how it is written. A commit needs at least seven of its digits, in small letters.',
  ),
  'deploy.version-ambiguous': entry<{ version: string; commits: readonly string[] }>(
    ({ version }) => `${plain(version)} is the beginning of several commits.`,
    ({ commits }) => `Give ${alternatives(commits)}.`,
  ),
  'deploy.version-built': entry<{ service: string; version: string; commit: string; known: readonly string[] }>(
    ({ service, version, commit }) =>
      `${plain(version)} is the commit ${plain(commit.slice(0, 7))}, and there is no version of ${plain(service)} of that commit.`,
    ({ known }) => `Have it built first${known.length > 0 ? `, or give ${alternatives(known)}` : ''}.`,
  ),
  'deploy.version-passed': entry<{ service: string; tried: number }>(
    ({ service, tried }) =>
      tried === 1
        ? `The only version of ${plain(service)} has not passed its checks.`
        : `None of the ${tried} newest versions of ${plain(service)} has passed its checks.`,
    ({ service }) => `Wait for them, or name a version: \`deploy ${service} <version> to <environment>\`.`,
  ),
  'deploy.source': entry<{ service: string; version: string; text: string }>(
    ({ service, version, text }) =>
      `I cannot find out which commit of ${plain(service)} ${plain(version)} is: ${plain(text)}.`,
    ({ service }) => `Try again later; \`rollback ${service} in <environment>\` needs nothing but the record.`,
  ),
  'deploy.live': entry<{ service: string; environment: string; version: string; since: string | undefined }>(
    ({ service, environment, version, since }) =>
      `${plain(service)} ${plain(version)} is already live in ${plain(environment)}${since === undefined ? '' : `, deployed ${since}`}.`,
    () => 'There is nothing to do.',
  ),
  'deploy.locked': entry<{ scope: string; by: string; until: string; reason: string; place: string }>(
    ({ scope, by, until, reason, place }) =>
      `${plain(by)} has locked ${plain(scope)} ${until}: ${plain(reason)}. Nothing is deployed to ${plain(place)}.`,
    ({ scope, by }) =>
      `${codeSpan(`unlock ${scope}`)} opens it; only ${plain(by)}, or who has the permission \`deploy:lock\`, can do that.`,
  ),
  'deploy.lock-held': entry<{ scope: string; by: string; until: string; reason: string }>(
    ({ scope, by, until, reason }) => `${plain(by)} has locked ${plain(scope)} already, ${until}: ${plain(reason)}.`,
    ({ scope, by }) =>
      `${codeSpan(`unlock ${scope}`)} opens it; only ${plain(by)}, or who has the permission \`deploy:lock\`, can do that.`,
  ),
  'deploy.lock-owner': entry<{ scope: string; by: string }>(
    ({ scope, by }) =>
      `${plain(by)} has locked ${plain(scope)}; only who has the permission \`deploy:lock\` can unlock it.`,
    ({ by }) => `Ask ${plain(by)}, or somebody who has that permission.`,
  ),
  'deploy.lock-none': entry<{ scope: string; others: readonly string[] }>(
    ({ scope }) => `There is no lock on ${plain(scope)}.`,
    ({ others }) =>
      others.length > 0 ? `Type ${alternatives(others.map((other) => `unlock ${other}`))}.` : 'Nothing is locked.',
  ),
  'deploy.lock-reason': entry<Record<never, never>>(
    () => 'A lock needs a reason, for those who meet it.',
    () => 'Type for example `lock hello in staging trying a fix for 2h`.',
  ),
  'deploy.lock-time': entry<Record<never, never>>(
    () => 'A lock cannot hold for that long.',
    () => 'Give at most a year, for example `for 2h`; without it, the lock holds until somebody unlocks it.',
  ),
  'deploy.ended': entry<{ number: number; state: string }>(
    ({ number, state }) => `There is nothing to cancel: deployment ${number} has ended (${state}).`,
    ({ number }) => `\`deploys log ${number}\` shows what it did.`,
  ),
  'deploy.unclear': entry<{ service: string; text: string }>(
    ({ service, text }) => `I cannot find out what there is of ${plain(service)}: ${plain(text)}.`,
    () => 'Look at its target in `config/services.yaml`, then try again.',
  ),
  'deploy.rules': entry<{ service: string; environment: string; version: string; says: string }>(
    ({ service, environment, version, says }) =>
      `The rules of ${plain(environment)} do not let ${plain(service)} ${plain(version)} in:\n\n${says}\n\n`,
    ({ environment }) =>
      `Who holds \`deploy:override:${environment}\` can set them aside: add \`--override "<reason>"\`.`,
  ),
  'deploy.busy': entry<{ id: number; service: string; environment: string; version: string; by: string }>(
    ({ id, service, environment, version, by }) =>
      `Deployment ${id} of ${plain(service)} ${plain(version)} to ${plain(environment)}, asked for by ${plain(by)}, has not ended, so nothing can be approved there now.`,
    ({ id, service, environment }) =>
      `Ask again when it has ended; \`queue ${service} ${environment}\` shows what runs and waits there, and \`cancel ${id}\` stops it.`,
  ),
  'deploy.override': entry<Record<never, never>>(
    () => 'You did not say why the rules shall not count.',
    () => 'Add the reason, which everybody will see: `--override "the shop is down"`.',
  ),
  'deploy.approval': entry<{ service: string; environment: string }>(
    ({ service, environment }) =>
      `${plain(service)} goes to ${plain(environment)} only when somebody else has approved it.`,
    ({ service, environment }) => `Ask for it: \`deploy ${service} <version> to ${environment}\`.`,
  ),
  'deploy.changed': entry<{ service: string; environment: string; approved: string; now: string }>(
    ({ service, environment, approved, now }) =>
      `What was approved for ${plain(service)} in ${plain(environment)} was ${approved}; by now it would be ${now}.`,
    () => 'Type the command again, and have that approved.',
  ),
  'deploy.rollback-none': entry<{ service: string; environment: string; current: string | undefined }>(
    ({ service, environment, current }) =>
      current === undefined
        ? `I know of no version of ${plain(service)} that was ever live in ${plain(environment)}.`
        : `I know of no version of ${plain(service)} that was live in ${plain(environment)} before ${plain(current)}.`,
    ({ service, environment }) => `Name one: \`deploy ${service} <version> to ${environment}\`.`,
  ),
  'deploy.rollback-unknown': entry<{
    service: string;
    environment: string;
    version: string;
    known: readonly string[];
  }>(
    ({ service, environment, version }) =>
      `${plain(service)} ${plain(version)} was never live in ${plain(environment)}, so there is no way back to it.`,
    ({ service, environment, known }) =>
      known.length > 0
        ? `Go back to ${alternatives(known)}, or deploy it: \`deploy ${service} <version> to ${environment}\`.`
        : `Deploy it: \`deploy ${service} <version> to ${environment}\`.`,
  ),
  'deploy.rollback-open': entry<{
    id: number;
    service: string;
    environment: string;
    version: string;
    previous?: string;
    by: string;
  }>(
    ({ id, service, environment, version, by }) =>
      `${plain(by)} is deploying ${plain(service)} ${plain(version)} to ${plain(environment)} (\\#${id}), so I cannot tell what you want to go back from.`,
    ({ id, service, environment, previous }) =>
      `\`cancel ${id}\` stops it; or name the version: ${codeSpan(`rollback ${service} in ${environment} to ${previous ?? '<version>'}`)}.`,
  ),
  'deploy.nothing': entry<{ service: string; environment: string }>(
    ({ service, environment }) => `Nothing of ${plain(service)} runs in ${plain(environment)}.`,
    ({ service, environment }) => `Deploy it there first: \`deploy ${service} to ${environment}\`.`,
  ),
  'deploy.number': entry<{ number: number }>(
    ({ number }) => `There is no deployment ${number}.`,
    () => 'Type `deploys` to see the latest ones.',
  ),
  'pipelines.unknown': entry<{ name: string; known: readonly string[] }>(
    ({ name }) => `I know no service ${codeSpan(name)}, and have not heard of a pipeline of such a repository.`,
    ({ known }) =>
      known.length > 0
        ? `Give ${alternatives(known)}.`
        : 'Let GitHub, GitLab or Jenkins tell me of their pipelines: see `docs/guide/pipelines.md`.',
  ),
  'pipelines.repository': entry<{ service: string }>(
    ({ service }) => `I do not know in which repository the source of ${plain(service)} is.`,
    ({ service }) => `Add \`repository: owner/name\` to ${plain(service)} in \`config/services.yaml\`.`,
  ),
  'pipelines.nothing': entry<{ of: string }>(
    ({ of }) => {
      if (of === '') return 'No pipeline failed of late.';
      return /^\d+$/.test(of) ? `I know of no run ${of}.` : `I know of no pipeline of ${plain(of)} that failed.`;
    },
    () => '`pipelines` shows the last runs; `pipelines rerun <service> --all` runs one again that was good.',
  ),
  'pipelines.which': entry<{ choices: readonly string[] }>(
    ({ choices }) => (choices.length > 0 ? 'Several pipelines failed.' : 'That takes the name of a service.'),
    ({ choices }) =>
      choices.length > 0 ? `Say which: ${choices.join(', ')}.` : 'Type for example `pipelines rerun hello --all`.',
  ),
  'pipelines.access': entry<{ run: string; service: string | undefined }>(
    ({ run }) => `I am not told where ${run} can be run again.`,
    ({ service }) =>
      service === undefined
        ? 'Its service needs `repository` and `pipelines` in `config/services.yaml`: see `docs/guide/pipelines.md`.'
        : `Add \`pipelines\` to ${plain(service)} in \`config/services.yaml\`: see \`docs/guide/pipelines.md\`.`,
  ),
  'pipelines.own': entry<{ run: string }>(
    ({ run }) => `${run} is how I deploy; run again by itself, it would pass by locks, rules and approvals.`,
    () => 'Type `deploy` with the same version and environment.',
  ),
  'pipelines.deployment': entry<{ run: string }>(
    ({ run }) => `${run} is the record of a deployment, which cannot be run again.`,
    () => 'Run the pipeline again that made it, or type `deploy`.',
  ),
  'pipelines.running': entry<{ run: string }>(
    ({ run }) => `${run} has not ended yet.`,
    () => 'Wait for its end: `pipelines` shows it.',
  ),
  'pipelines.passed': entry<{ run: string; id: number }>(
    ({ run }) => `Nothing failed in ${run}.`,
    ({ id }) => `To run all of it again, type \`pipelines rerun ${id} --all\`.`,
  ),
  'pipelines.again': entry<{ run: string; by: string; age: string }>(
    ({ run, by, age }) => `${plain(by)} had ${run} run again ${age}.`,
    () => 'Look at `pipelines`; in two minutes you can ask for it again.',
  ),
  'pipelines.refused': entry<{ run: string; problem: string }>(
    ({ run, problem }) => `${run} was not run again: ${plain(problem)}.`,
    () => 'Put that right, or run it again there.',
  ),
  'docker.elsewhere': entry<{ service: string; environment: string; known: readonly string[] }>(
    ({ service, environment }) => `${plain(service)} does not run on Docker in ${plain(environment)}.`,
    ({ known }) => (known.length > 0 ? `Give ${alternatives(known)}.` : 'No service has the target `docker`.'),
  ),
  'docker.nothing': entry<{ service: string; environment: string }>(
    ({ service, environment }) =>
      `There is no container of ${plain(service)} in ${plain(environment)}, or none that runs.`,
    ({ service, environment }) => `Type \`docker containers ${service} ${environment}\` to see what there is.`,
  ),
  'docker.unclear': entry<{ service: string; environment: string; text: string }>(
    ({ service, environment, text }) =>
      `I cannot ask the engine of ${plain(service)} in ${plain(environment)}: ${plain(text)}.`,
    () => 'Look at the engine, and at the target in `config/services.yaml`, then try again.',
  ),
  'kubernetes.elsewhere': entry<{ service: string; known: readonly string[] }>(
    ({ service }) => `${plain(service)} is not deployed to Kubernetes.`,
    ({ known }) =>
      known.length > 0
        ? `Give ${alternatives(known)}.`
        : 'Its target is in `config/services.yaml`; none there is of the kind `kubernetes`.',
  ),
  'kubernetes.busy': entry<{ service: string; environment: string; version: string; by: string }>(
    ({ service, environment, version, by }) =>
      `${plain(by)} is deploying ${plain(service)} ${plain(version)} to ${plain(environment)}; I do not touch it meanwhile.`,
    ({ service, environment }) =>
      `Type it again when that has ended; \`deploys ${service} ${environment}\` shows how far it is.`,
  ),
  'kubernetes.locked': entry<{ scope: string; by: string; until: string; reason: string }>(
    ({ scope, by, until, reason }) =>
      `${plain(by)} has locked ${plain(scope)} ${until}: ${plain(reason)}. It is neither restarted nor scaled meanwhile.`,
    ({ scope, by }) =>
      `${codeSpan(`unlock ${scope}`)} opens it; only ${plain(by)}, or who has the permission \`deploy:lock\`, can do that.`,
  ),
  'kubernetes.unknown': entry<{ what: string; name: string; known: readonly string[] }>(
    ({ what, name }) => `There is no ${what} ${codeSpan(name)} of this service.`,
    ({ known }) => (known.length > 0 ? `Give ${alternatives(known)}.` : 'Nothing of it runs there.'),
  ),
  'kubernetes.unclear': entry<{ text: string }>(
    ({ text }) => `The cluster gave no good answer: ${plain(text)}.`,
    () => 'Put that right, then type the command again; a change that was refused has changed nothing.',
  ),
  'history.empty': entry<Record<never, never>>(
    () => 'You did not say what to look for.',
    () => 'Type `history search timeout`, or a filter such as `from:alice`, `in:ops`, `since:7d`.',
  ),
  'history.time': entry<{ filter: string; value: string }>(
    ({ filter, value }) => `I do not understand the time in ${codeSpan(`${filter}:${value}`)}.`,
    () => 'Give `7d`, `yesterday`, `14:30` or `2026-05-01`.',
  ),
  'history.room': entry<{ room: string }>(
    ({ room }) => `There is no room ${plain(room)} that you may read.`,
    () => 'Type `history in:<room>` with the name of a room as the chat shows it.',
  ),
  'history.private': entry<{ room: string }>(
    ({ room }) => `${plain(room)} is private, and others would see it here.`,
    () => 'Ask me there.',
  ),
  'storage.unavailable': entry<{ reference: string }>(
    () => 'The database does not answer, so nothing was done.',
    ({ reference }) => `Try again in a moment. Details are in the log under \`${reference}\`.`,
  ),
  'alerts.unknown': entry<{ alert: number }>(
    ({ alert }) => `There is no alert ${alert}.`,
    () => 'Type `alerts` to see what is firing, `alerts all` for earlier ones.',
  ),
  'alerts.resolved': entry<{ alert: number }>(
    ({ alert }) => `Alert ${alert} is resolved, so there is nothing to acknowledge.`,
    ({ alert }) => `Type \`alerts show ${alert}\` to see it.`,
  ),
  'alerts.acknowledged': entry<{ alert: number; by: string; at: string }>(
    ({ alert, by, at }) => `${plain(by)} acknowledged alert ${alert} already, at ${at}.`,
    ({ alert }) => `Type \`alerts show ${alert}\` to see it.`,
  ),
  'alerts.test': entry<{ reason: string }>(
    ({ reason }) => `The test alert was not accepted: ${plain(reason)}.`,
    () => 'The log says more. Alerts of a real Alertmanager would be refused as well.',
  ),
  'ask.unknown': entry<{ answer: number }>(
    ({ answer }) => `I gave no answer ${answer} here that I still remember.`,
    () => 'Rate an answer within a day, where it was given.',
  ),
  'ask.key': entry<Record<never, never>>(
    () => 'The model does not accept my key.',
    () => 'Whoever runs me: check `OPENAI_API_KEY`.',
  ),
  'ask.model': entry<{ model: string }>(
    ({ model }) => `The model ${plain(model)} is not there.`,
    () => 'Whoever runs me: check `OPENAI_MODEL` and `OPENAI_BASE_URL`.',
  ),
  'ask.busy': entry<{ seconds: number | undefined }>(
    () => 'The model is busy or its quota is used up.',
    ({ seconds }) => (seconds === undefined ? 'Ask again in a moment.' : `Ask again in ${seconds} s.`),
  ),
  'ask.long': entry<Record<never, never>>(
    () => 'That is more text than the model takes.',
    () => 'Ask a shorter question, or type `forget` to start afresh.',
  ),
  'ask.refused': entry<Record<never, never>>(
    () => 'The model declined to answer that.',
    () => 'Ask in other words.',
  ),
  'ask.slow': entry<Record<never, never>>(
    () => 'The model took too long.',
    () => 'Ask again in a moment.',
  ),
  'ask.unreachable': entry<Record<never, never>>(
    () => 'The model cannot be reached.',
    () => 'Whoever runs me: check `OPENAI_BASE_URL` and the network.',
  ),
  'ask.broken': entry<Record<never, never>>(
    () => 'The model gave no usable answer.',
    () => 'Ask again; the log says more.',
  ),
  'web.off': entry<Record<never, never>>(
    () => 'The web chat, into which people are invited, is off.',
    () => 'Start me with it: `npm start` without `--adapter`.',
  ),
  'web.name': entry<{ text: string; next: string }>(
    ({ text }) => plain(text),
    ({ next }) => plain(next),
  ),
  'web.email': entry<{ typed: string }>(
    ({ typed }) => `${codeSpan(typed.slice(0, 80))} is no e-mail address that I take.`,
    () => 'Type the name, then one address: `invite bob bob@example.com`.',
  ),
  'web.unknown': entry<{ id: string }>(
    ({ id }) =>
      `I know no e-mail address of \`${id}\` that its chat has confirmed, so I cannot know you in the web chat.`,
    () => 'Ask somebody who may grant roles to type `invite`, your name and your address.',
  ),
  'web.here': entry<Record<never, never>>(
    () => 'You are in the web chat already.',
    () => 'For a link to sign in elsewhere, type `invite` and your own name.',
  ),
  'web.private': entry<Record<never, never>>(
    () => 'An invitation lets in whoever has the link, so I do not show it where others read.',
    () => 'Ask me in a direct conversation.',
  ),
  internal: entry<{ reference: string }>(
    () => 'Something went wrong on my side.',
    ({ reference }) =>
      `Details are in the log under \`${reference}\`. Try again, or show that reference to whoever runs me.`,
  ),
};

export type ErrorCode = keyof typeof catalogue;
type ParamsOf<C extends ErrorCode> = (typeof catalogue)[C] extends Entry<infer P> ? P : never;

/** An expected problem, told to the person in the words of the catalogue. */
export class Failure extends Error {
  readonly code: ErrorCode;
  readonly text: string;
  readonly next: string;

  constructor(code: ErrorCode, text: string, next: string) {
    super(`${code}: ${text}`);
    this.name = 'Failure';
    this.code = code;
    this.text = text;
    this.next = next;
  }
}

/** Makes the error to throw: `throw fail('access.role', { role, roles })`. */
export function fail<C extends ErrorCode>(code: C, params: ParamsOf<C>): Failure {
  const found: Entry<ParamsOf<C>> = catalogue[code] as Entry<ParamsOf<C>>;
  return new Failure(code, found.text(params), found.next(params));
}

/** How a failure is shown to a person. */
export function failureText(failure: Failure): string {
  return `${failure.text} ${failure.next}`;
}
