import { type Command, Option, type OptionValues } from '@commander-js/extra-typings';
import { type Api, createApi } from './api.ts';
import { usageFailure } from './failure.ts';
import { type Environment, loadSettings, parseApiKey, type Settings } from './settings.ts';
import type { Streams, Terminal } from './terminal.ts';

/** What belongs to the process, handed to every command. */
export interface Host {
  readonly terminal: Terminal;
  readonly workingDirectory: string;
  readonly environment: Environment;
  readonly streams: Pick<Streams, 'stdout' | 'stderr'>;
  /** The environment for a command that is run: ours, without our credentials. */
  readonly inherited: () => NodeJS.ProcessEnv;
  /** What this command line asked for in common, and the code that a command ends with by itself. */
  readonly outcome: { common: CommonOptions; exitCode: number };
}

/** What a command of the API works with. */
export interface Tools extends Host {
  readonly api: Api;
  readonly json: boolean;
}

/** The options that every command of the API takes. */
export interface CommonOptions {
  readonly json?: true | undefined;
  readonly quiet?: true | undefined;
  readonly apiUrl?: string | undefined;
  readonly profile?: string | undefined;
}

/** How many items to ask for at once: the longest ones must fit into one answer of a Lambda, 6 MB. */
export const PAGE = 500;

/** What a command may use that not every command may. */
interface Using extends CommonOptions {
  readonly takesRunToken?: boolean;
}

/** Finds the server and the key for a command. @throws Failure */
export function toolsOf(host: Host, using: Using = {}): Tools {
  return { ...host, api: createApi(settingsOf(host, using)), json: host.outcome.common.json === true };
}

/** The same server, by another key. @throws Failure */
export function apiOf(host: Host, key: string): Api {
  return createApi({ ...settingsOf(host), apiKey: parseApiKey(key, 'FM_RESOLVE_KEY') });
}

/** Which server, and who we are to it. @throws Failure */
export function settingsOf(host: Host, { takesRunToken = false }: Using = {}): Settings {
  return loadSettings({
    apiUrlFlag: host.outcome.common.apiUrl,
    profileFlag: host.outcome.common.profile,
    environment: host.environment,
    workingDirectory: host.workingDirectory,
    takesRunToken,
  });
}

/** Adds the options that every command of the API takes. */
export function common<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command
    .option('--json', 'print the API’s JSON')
    .option('--quiet', 'say nothing beside the result')
    .option('--api-url <url>', 'the server, instead of FM_API_URL, the profile or admin.json')
    .option('--profile <name>', 'the server and the key that fm login kept under this name');
}

/** Adds the options that say which secret of a name is meant. */
export function selecting<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command
    .addOption(new Option('--scope <scope>', 'which scope').choices(['org', 'pipeline', 'user'] as const))
    .option('--pipeline <id>', 'of which pipeline')
    .option('--user <user>', 'of which user')
    .option('--env <environment>', 'of which environment; none for the one that serves every environment');
}

/** What `selecting` adds. */
export interface Selecting {
  readonly scope?: 'org' | 'pipeline' | 'user' | undefined;
  readonly pipeline?: string | undefined;
  readonly user?: string | undefined;
  readonly env?: string | undefined;
}

/** The selection in the words of the API. */
export function selectorOf({ scope, pipeline, user, env }: Selecting) {
  return { scope, pipeline_id: pipeline, user, environment: env };
}

/** The selection as flags, each with a space before it, for a command that is suggested. */
export function flagsOf({ scope, pipeline, user, env }: Selecting): string {
  return Object.entries({ scope, pipeline, user, env })
    .map(([flag, given]) => (given === undefined ? '' : ` --${flag} ${given}`))
    .join('');
}

/** A whole number of an option. @throws Failure wrong usage, naming the option */
export function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw usageFailure(`${option} takes a whole number.`);
  return Number(text);
}

/** JSON of an option. @throws Failure wrong usage, naming the option and quoting nothing */
export function jsonOf(option: string, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw usageFailure(`${option} takes JSON, for example ${option} '{"provider": "openai"}'.`);
  }
}
