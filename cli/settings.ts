import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { type Failure, usageFailure } from './failure.ts';
import { accountOf, keychainOf } from './keychain.ts';
import { profileFile } from './profiles.ts';

const VARIABLES = [
  'FM_API_URL',
  'FM_API_KEY',
  'FM_PROFILE',
  'FM_RUN_TOKEN',
  'FM_RESOLVE_KEY',
  'FM_DATA_DIR',
  'XDG_CONFIG_HOME',
  'NO_COLOR',
  'FM_KEYCHAIN',
  'DBUS_SESSION_BUS_ADDRESS',
  // Of the stores that an import reads.
  'BAO_ADDR',
  'BAO_NAMESPACE',
  'BAO_TOKEN',
  'VAULT_ADDR',
  'VAULT_NAMESPACE',
  'VAULT_TOKEN',
  'FLOWMASON_SECRETS_KEY',
] as const;
export type Environment = { readonly [Name in (typeof VARIABLES)[number]]?: string | undefined };

/** Which server, and who we are to it. */
export interface Settings {
  readonly apiUrl: URL;
  readonly apiKey: string;
}

/** What decides the settings, strongest first: the flag, the environment, then the files. */
export interface SettingsSources {
  readonly apiUrlFlag: string | undefined;
  readonly profileFlag: string | undefined;
  readonly environment: Environment;
  readonly workingDirectory: string;
  /** Whether a run token serves, too: it comes before any key. */
  readonly takesRunToken: boolean;
}

/** Takes the variables that `fm` knows; an empty one counts as absent. By hand: a schema takes 10 ms of the start. */
export function parseEnvironment(variables: NodeJS.ProcessEnv): Environment {
  return Object.fromEntries(VARIABLES.map((name) => [name, variables[name] || undefined]));
}

/**
 * Finds the server and the key. A key that a file holds goes only to the server that the same file names, so
 * that `--api-url` or FM_API_URL alone cannot make `fm` hand it to another one.
 * @throws Failure when nothing names a server or a key, or what names them is not safe to use
 */
export function loadSettings(sources: SettingsSources): Settings {
  if (sources.profileFlag !== undefined) return profileSettings(sources, sources.profileFlag);
  const { FM_API_URL: url, FM_RUN_TOKEN: token } = sources.environment;
  const key = (sources.takesRunToken ? token : undefined) ?? sources.environment.FM_API_KEY;
  const named = sources.apiUrlFlag ?? url;
  const apiUrl =
    named === undefined ? undefined : parseApiUrl(named, sources.apiUrlFlag ? '--api-url' : 'FM_API_URL');
  const apiKey = key === undefined ? undefined : parseApiKey(key, 'FM_API_KEY');
  if (apiUrl !== undefined && apiKey !== undefined) return { apiUrl, apiKey };
  for (const file of settingsFiles(sources)) {
    const stored = readSettingsFile(sources.environment, file);
    if (stored === undefined) continue;
    if (apiUrl === undefined) return { apiUrl: stored.apiUrl, apiKey: apiKey ?? stored.apiKey };
    if (apiUrl.href === stored.apiUrl.href) return stored;
  }
  throw missingSettings(sources, apiUrl);
}

/** A profile that was asked for by name is taken whole, or not at all. */
function profileSettings({ environment, apiUrlFlag }: SettingsSources, name: string): Settings {
  const file = profileFile(environment, name);
  const stored = readSettingsFile(environment, file);
  if (stored === undefined)
    throw usageFailure(`There is no profile ${name}.`, [`Make it: fm login --profile ${name}`]);
  if (apiUrlFlag !== undefined && parseApiUrl(apiUrlFlag, '--api-url').href !== stored.apiUrl.href)
    throw usageFailure('Its key belongs to another server than --api-url names.');
  return stored;
}

function missingSettings(sources: SettingsSources, apiUrl: URL | undefined): Failure {
  const [profile, admin] = settingsFiles(sources);
  if (apiUrl !== undefined) {
    return usageFailure(`There is no API key for ${apiUrl.origin}.`, [
      `Set FM_API_KEY, or keep a key in ${profile}: fm login --api-url ${apiUrl.origin}`,
    ]);
  }
  return usageFailure('Nothing names a server.', [
    `On this machine: is it running? npm start makes ${admin}, which fm reads.`,
    `Elsewhere: set FM_API_URL and FM_API_KEY, or keep them in ${profile}: fm login`,
  ]);
}

function settingsFiles({ environment, workingDirectory }: SettingsSources): readonly [string, string] {
  const data = path.resolve(workingDirectory, environment.FM_DATA_DIR ?? '.flowmason');
  return [profileFile(environment, environment.FM_PROFILE), path.join(data, 'admin.json')];
}

const storedSettings = z.union([
  z.object({ api_url: z.string(), api_key: z.string() }),
  z.object({ api_url: z.string(), keychain: z.literal(true) }),
]);

function readSettingsFile(environment: Environment, file: string): Settings | undefined {
  const text = readPrivateFile(file);
  if (text === undefined) return undefined;
  const { data } = storedSettings.safeParse(parsedOrNull(text));
  if (data === undefined) throw usageFailure(`${file} must hold {"api_url": "…", "api_key": "…"}.`);
  const apiUrl = parseApiUrl(data.api_url, file);
  const key = 'api_key' in data ? data.api_key : keychainOf(environment)?.find(accountOf(apiUrl, file));
  if (key === undefined)
    throw usageFailure(`The key of ${file} is in a keychain, which does not give it here.`, [
      `Unlock it, or keep the key in a file: fm login --api-url ${apiUrl.origin} --no-keychain`,
    ]);
  return { apiUrl, apiKey: parseApiKey(key, file) };
}

/** Reads a file that holds a key: the open file is looked at, so that no other can be put in its place. */
function readPrivateFile(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return;
    throw usageFailure(`${file} cannot be read.`);
  }
  try {
    // Windows has no such mode bits; its profile folders are private to the user.
    if (process.platform !== 'win32' && (fstatSync(descriptor).mode & 0o077) !== 0) {
      throw usageFailure(`${file} holds an API key and others can read it.`, [`Run: chmod 600 '${file}'`]);
    }
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** JSON or null; the parser's own message would quote the text. */
function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function parseApiKey(text: string, source: string): string {
  // A header cannot carry anything else, and the error that fetch would throw quotes the key.
  if (!/^[\x21-\x7e]+$/.test(text))
    throw usageFailure(`The API key of ${source} holds characters that no key has.`);
  return text;
}

export function parseApiUrl(text: string, source: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw usageFailure(`The address of ${source} must be like https://secrets.example.com.`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw usageFailure(`The address of ${source} must have no user, query or fragment.`);
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw usageFailure(
      `The address of ${source} is http: and leaves this machine; keys and values would travel in clear.`,
      [`Use https://${url.host} instead.`],
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/** The URL parser has already made one spelling of every address, for example 127.0.0.1 of 0x7f.1. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
