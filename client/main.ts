import { Cache } from './cache.ts';
import { type Held, SecretsClient } from './client.ts';
import { settingsFrom } from './environment.ts';
import { HttpTransport } from './http-transport.ts';
import { type Invoke, LambdaTransport } from './lambda-transport.ts';
import { Redactor } from './redaction.ts';
import type { RetryOptions } from './retry.ts';
import { checkSettings, type Settings } from './settings.ts';

export { type CallOptions, type GetOptions, SecretsClient, type UseOptions } from './client.ts';
export * from './errors.ts';
export type { Invoke } from './lambda-transport.ts';
export type { SecretMetadata } from './metadata.ts';
export { type LeftAlone, Redactor, type StreamRedactor } from './redaction.ts';
export type { RetryOptions } from './retry.ts';
export type { Settings } from './settings.ts';
export { isAuthenticationFailure } from './using.ts';

/** How a client works, beside who it is. */
export interface ClientOptions {
  /** How long values are kept, 60 seconds unless told, and how many, 1000. `false`: not at all. */
  readonly cache?: false | { readonly seconds?: number; readonly entries?: number } | undefined;
  /** How often it asks again: 4 times within 30 seconds unless told. */
  readonly retry?: RetryOptions | undefined;
  /** In place of the global fetch. */
  readonly fetch?: typeof fetch | undefined;
  /** Invokes the resolve function, in place of @aws-sdk/client-lambda. */
  readonly invoke?: Invoke | undefined;
  /** Ends whatever is on its way, and the client with it. */
  readonly signal?: AbortSignal | undefined;
  /** Learns the values; by default one of the client's own. */
  readonly redactor?: Redactor | undefined;
}

export interface SecretsClientOptions extends Settings, ClientOptions {}

/** @throws SettingsError when the settings are not enough, or not safe */
export function createSecretsClient(options: SecretsClientOptions): SecretsClient {
  checkSettings(options);
  const { cache, retry = {}, fetch: fetcher = fetch, redactor = new Redactor(), signal } = options;
  for (const credential of [options.runToken, options.apiKey])
    if (credential !== undefined) redactor.add(credential);
  const { seconds = 60, entries = 1000 } = cache === false ? { seconds: 0 } : (cache ?? {});
  const hasApi = options.apiUrl !== undefined && (options.runToken ?? options.apiKey) !== undefined;
  const api = hasApi ? new HttpTransport(options, retry, fetcher) : undefined;
  const transport =
    options.functionName === undefined && api !== undefined
      ? api
      : new LambdaTransport(options, retry, api, options.invoke);
  return new SecretsClient(transport, new Cache<Held>(seconds, entries), redactor, signal);
}

/**
 * A client by the FM_ variables of the environment.
 * @param variables where to look, by default the environment of this process
 */
export function fromEnvironment(
  options: ClientOptions = {},
  variables?: Readonly<Record<string, string | undefined>>,
): SecretsClient {
  return createSecretsClient({ ...settingsFrom(variables), ...options });
}
