import {
  AccessDeniedError,
  LimitExceededError,
  type SecretsError,
  SettingsError,
  UnavailableError,
} from './errors.ts';
import { parseJson } from './numbers.ts';
import { errorOf, type Reply, recordOf, transient } from './problems.ts';
import { type RetryOptions, retrying } from './retry.ts';
import { placeOf, type Settings } from './settings.ts';
import { type Transport, withoutApi } from './transport.ts';

/**
 * Invokes a Lambda function.
 * @param payload JSON data
 * @returns the function's answer, JSON data; a rejection when it has none
 */
export type Invoke = (functionName: string, payload: unknown, signal: AbortSignal) => Promise<unknown>;

/**
 * Resolves by `lambda:InvokeFunction`: IAM and TLS of AWS stand between, no HTTP API is needed. With a run token
 * the run speaks for itself; without, the function's `orchestrator` alias takes the organization and the place.
 * The rest goes to the HTTP API, where one is known.
 */
export class LambdaTransport implements Transport {
  readonly #functionName: string;
  readonly #payload: Readonly<Record<string, string>>;
  readonly #invoke: Invoke;
  readonly #retry: RetryOptions;
  readonly #api: Transport | undefined;

  constructor(settings: Settings, retry: RetryOptions, api: Transport | undefined, invoke: Invoke = bySdk()) {
    const { functionName = '', runToken, org = '' } = settings;
    this.#functionName = functionName;
    this.#payload = runToken === undefined ? { org, ...placeOf(settings) } : { run_token: runToken };
    this.#invoke = invoke;
    this.#retry = retry;
    this.#api = api;
  }

  resolve(config: unknown, signal?: AbortSignal): Promise<Reply> {
    return retrying(this.#retry, signal, (until) => this.#attempt(config, until));
  }

  async check(config: unknown, signal?: AbortSignal): Promise<Reply> {
    return (this.#api ?? withoutApi()).check(config, signal);
  }

  async list(signal?: AbortSignal) {
    return (this.#api ?? withoutApi()).list(signal);
  }

  async #attempt(config: unknown, signal: AbortSignal): Promise<Reply> {
    const payload = { ...this.#payload, config };
    const body = await this.#invoke(this.#functionName, payload, signal).catch((error: unknown) => {
      // A new error and no cause: what the SDK throws may hold the request.
      throw failureOf(error);
    });
    const { status = 200 } = recordOf(body);
    if (typeof body !== 'object' || typeof status !== 'number')
      throw new UnavailableError("The resolve function's answer is no object.", { code: 'invalid_answer' });
    // A problem document alone has a status: an answer has `config` and `secrets`.
    const reply = { status, body };
    if (transient.has(status)) throw errorOf(reply, (path) => path);
    return reply;
  }
}

// What AWS says of who asks, and of what is asked for: asking again would change neither.
const denied = new Set([
  ...['AccessDeniedException', 'AccessDenied', 'UnrecognizedClientException', 'InvalidSignatureException'],
  ...['ExpiredTokenException', 'MissingAuthenticationTokenException', 'KMSAccessDeniedException'],
]);
const wrong = new Set([
  ...['ResourceNotFoundException', 'ValidationException', 'InvalidParameterValueException'],
  ...['CredentialsProviderError', 'ParamValidationError'],
]);

/** Names AWS's code and not its message, which may quote what was sent. */
function failureOf(error: unknown): SecretsError {
  if (error instanceof SettingsError || error instanceof UnavailableError) return error;
  const name = error instanceof Error ? error.name : 'unknown';
  if (denied.has(name))
    return new AccessDeniedError(`AWS does not let this caller invoke the resolve function (${name}).`);
  if (error instanceof Error && error.message === 'Region is missing')
    return new SettingsError('The resolve function cannot be invoked: AWS_REGION is not set.');
  if (wrong.has(name)) return new SettingsError(`The resolve function cannot be invoked so (${name}).`);
  if (name === 'RequestTooLargeException')
    return new LimitExceededError('The config is too large for an invoke.', { code: 'config_too_large' });
  return new UnavailableError(`The resolve function could not be invoked (${name}).`);
}

/** By the AWS SDK, loaded at the first invoke. */
function bySdk(): Invoke {
  let loaded: ReturnType<typeof loadSdk> | undefined;
  return async (functionName, payload, signal) => {
    loaded ??= loadSdk();
    const { sdk, client } = await loaded;
    const bytes = new TextEncoder().encode(JSON.stringify(payload));
    const command = new sdk.InvokeCommand({ FunctionName: functionName, Payload: bytes });
    const answer = await client.send(command, { abortSignal: signal });
    if (answer.FunctionError !== undefined) throw new UnavailableError('The resolve function failed.');
    return parseJson(new TextDecoder().decode(answer.Payload));
  };
}

async function loadSdk() {
  const sdk = await import('@aws-sdk/client-lambda').catch(() => {
    throw new SettingsError('A Lambda invoke needs the package @aws-sdk/client-lambda.');
  });
  return { sdk, client: new sdk.LambdaClient({}) };
}
