import { isIPv4 } from 'node:net';
import { SettingsError } from './errors.ts';

/**
 * Who we are to which server: `apiUrl` with `runToken`, or with `apiKey` and the place of the run; or the resolve
 * function by Lambda invoke. A run token says its own environment, pipeline and user, so those are not sent
 * beside one.
 */
export interface Settings {
  /** The server, for example `https://secrets.example.com`. `http://` only to this machine. */
  readonly apiUrl?: string | undefined;
  /** The token of this run: best. */
  readonly runToken?: string | undefined;
  /** Else a key of role `runtime`, with `environment`. */
  readonly apiKey?: string | undefined;
  readonly environment?: string | undefined;
  readonly pipelineId?: string | undefined;
  readonly runId?: string | undefined;
  readonly user?: string | undefined;
  /** Else the resolve function, its name or ARN; without a run token by its `orchestrator` alias, with `org`. */
  readonly functionName?: string | undefined;
  readonly org?: string | undefined;
}

/** @throws SettingsError when the settings are not enough, or not safe */
export function checkSettings(settings: Settings): void {
  const { apiUrl, runToken, apiKey, environment, functionName, org } = settings;
  if (apiUrl !== undefined) checkUrl(apiUrl);
  for (const credential of [runToken, apiKey]) {
    if (credential !== undefined && !/^[!-~]+$/.test(credential))
      throw new SettingsError('The run token or API key holds characters that no credential has.');
  }
  if (functionName !== undefined) {
    if (runToken === undefined && (org === undefined || environment === undefined))
      throw new SettingsError('The resolve function needs a run token, or org and environment.');
    return;
  }
  if (apiUrl === undefined)
    throw new SettingsError(
      'Nothing names a server. Set FM_API_URL, or FM_RESOLVE_FUNCTION for a Lambda invoke.',
    );
  if (runToken === undefined && apiKey === undefined)
    throw new SettingsError('There is no credential. Set FM_RUN_TOKEN, or FM_API_KEY with FM_ENVIRONMENT.');
  if (runToken === undefined && environment === undefined)
    throw new SettingsError('An API key needs FM_ENVIRONMENT: it does not say where the pipeline runs.');
}

/** What an API key or an orchestrator must say beside a config; nothing with a run token. */
export function placeOf({
  runToken,
  environment,
  pipelineId,
  user,
  runId,
}: Settings): Record<string, string> {
  if (runToken !== undefined) return {};
  const place = { environment, pipeline_id: pipelineId, user, run_id: runId };
  return Object.fromEntries(
    Object.entries(place).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['https:', 'http:'].includes(url.protocol))
    throw new SettingsError('The address of the server must begin with https://.');
  if (url.username !== '' || url.password !== '')
    throw new SettingsError('The address of the server must not hold a user or a password.');
  if (url.search !== '' || url.hash !== '')
    throw new SettingsError('The address of the server ends with its path.');
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw new SettingsError('http:// to another host would send secrets in the clear. Use https://.');
}

/** Whether what is sent there stays on this machine. URL has written every form of an address in one way. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}
