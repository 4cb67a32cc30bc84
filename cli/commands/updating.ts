import { type Command, Option } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import type { InputOf } from '../api.ts';
import { confirmPlace, writing } from '../confirm.ts';
import { usageFailure } from '../failure.ts';
import { placeOf } from '../print.ts';
import { common, type Host, jsonOf, numberOf, selecting, selectorOf, toolsOf } from '../tools.ts';

/** `fm secrets update | rotator` */
export function addUpdating(secrets: Command, host: Host): void {
  addUpdate(secrets, host);
  addRotator(secrets, host);
}

function addUpdate(secrets: Command, host: Host): void {
  writing(selecting(common(secrets.command('update').argument('<name>'))))
    .description('change what is known of a secret; its value stays')
    .option('--description <text>', 'what it is for')
    .option('--metadata <json>', 'labels of your own, as a JSON object; they take the place of those before')
    .option('--rotation-days <days>', 'remind when it is older; none to end that')
    .action(async (name, options) => {
      const tools = toolsOf(host, options);
      const { description, rotationDays } = options;
      const metadata = jsonOf('--metadata', options.metadata) as Record<string, string> | undefined;
      const rotation_days = rotationDays === 'none' ? null : numberOf('--rotation-days', rotationDays);
      if (description === undefined && metadata === undefined && rotation_days === undefined)
        throw usageFailure('Say what to change: --description, --metadata or --rotation-days.');
      await confirmPlace(tools, options, name);
      const change = { description, metadata, rotation_days };
      const answer = await tools.api.call(routes.updateSecret, { name, ...selectorOf(options), ...change });
      if (tools.json) return tools.terminal.printJson(answer);
      tools.terminal.done(`${answer.name} is updated${placeOf(answer)}; version ${answer.version} stays.`);
    });
}

const KINDS = ['token', 'postgres', 'https', 'none'] as const;

const HELP = `
token     makes random bytes as base64url: --bytes, --prefix
postgres  lets two roles of a database take turns: --admin-secret, --users app_a,app_b
https     asks a hook of your own: --url; the key that verifies its posts is shown
none      ends it`;

type Rotator = InputOf<typeof routes.setRotator>['rotator'];

/** What a rotator is told, each by an option of its kind. */
interface RotatorOptions {
  readonly kind: (typeof KINDS)[number];
  readonly bytes?: string | undefined;
  readonly prefix?: string | undefined;
  readonly adminSecret?: string | undefined;
  readonly users?: string | undefined;
  readonly url?: string | undefined;
  readonly keepPreviousFor?: string | undefined;
}

function addRotator(secrets: Command, host: Host): void {
  writing(selecting(common(secrets.command('rotator').argument('<name>'))))
    .description('say what rotates a secret by itself when it is due; for admins')
    .addOption(new Option('--kind <kind>', 'what rotates it').choices(KINDS).makeOptionMandatory())
    .option('--bytes <n>', 'token: how many (default 32)')
    .option('--prefix <text>', 'token: what it begins with')
    .option(
      '--admin-secret <name>',
      'postgres: the secret that says where the database is, and who may alter roles',
    )
    .option('--users <roles>', 'postgres: the two roles, with a comma between')
    .option('--url <url>', 'https: the hook')
    .option('--keep-previous-for <duration>', 'how long the version before works (default 24h)')
    .addHelpText('after', HELP)
    .action(async (name, options) => {
      const tools = toolsOf(host, options);
      const rotator = rotatorOf(options);
      await confirmPlace(tools, options, name);
      const answer = await tools.api.call(routes.setRotator, { name, ...selectorOf(options), rotator });
      if (tools.json) return tools.terminal.printJson(answer);
      if (answer.rotator === null) return tools.terminal.done(`Nothing rotates ${name} by itself.`);
      tools.terminal.done(`${name} is rotated by itself (${answer.rotator.kind}) when it is due, or by`);
      tools.terminal.done(`  fm secrets rotation ${name} --action start`);
      if (answer.signing_key !== null)
        tools.terminal.print(`The key that verifies its posts: ${answer.signing_key}`);
    });
}

const OPTIONS_OF = {
  none: [],
  token: ['bytes', 'prefix', 'keepPreviousFor'],
  postgres: ['adminSecret', 'users', 'keepPreviousFor'],
  https: ['url', 'keepPreviousFor'],
} as const;

/** @throws Failure wrong usage when an option is missing, or belongs to another kind */
function rotatorOf(options: RotatorOptions): Rotator {
  const { kind, prefix, adminSecret: admin_secret, url, keepPreviousFor: keep_previous_for } = options;
  const own: readonly string[] = OPTIONS_OF[kind];
  for (const key of ROTATOR_OPTIONS) {
    if (options[key] !== undefined && !own.includes(key))
      throw usageFailure('There is an option that belongs to another kind of rotator.');
  }
  switch (kind) {
    case 'none':
      return null;
    case 'token':
      return { kind, bytes: numberOf('--bytes', options.bytes), prefix, keep_previous_for };
    case 'postgres': {
      const [one = '', two = '', more] = (options.users ?? '').split(',').map((role) => role.trim());
      if (more !== undefined || two === '')
        throw usageFailure('--users takes two roles, for example app_a,app_b.');
      if (admin_secret === undefined) throw usageFailure('Say where the database is: --admin-secret NAME');
      return { kind, admin_secret, users: [one, two], keep_previous_for };
    }
    case 'https':
      if (url === undefined) throw usageFailure('Say where the hook is: --url https://rotate.example.com');
      return { kind, url, keep_previous_for };
  }
}

const ROTATOR_OPTIONS = ['bytes', 'prefix', 'adminSecret', 'users', 'url', 'keepPreviousFor'] as const;
