import { type Cache, Flights, type Ticket } from './cache.ts';
import { endedBy } from './ended-by.ts';
import {
  AccessDeniedError,
  InvalidReferenceError,
  SecretsError,
  UnresolvedReferencesError,
} from './errors.ts';
import type { SecretMetadata } from './metadata.ts';
import { type Answer, planConfig } from './plan.ts';
import { errorOf, listOf, type Reply, recordOf } from './problems.ts';
import type { Redactor } from './redaction.ts';
import { isName } from './references.ts';
import type { Transport } from './transport.ts';
import { isAuthenticationFailure, tryEach } from './using.ts';

/** Ends a call; its reason is what the promise rejects with. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions extends CallOptions {
  /**
   * An older version by its number, `'previous'` while a rotation keeps it, or `'pending'`: one that is staged to be
   * tested.
   */
  readonly version?: number | 'previous' | 'pending' | undefined;
}

export interface UseOptions extends CallOptions {
  /** Which errors mean that the other side refused the value; by default {@link isAuthenticationFailure}. */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
}

/** A value that is kept: its text, which for a secret of bytes is base64. */
export interface Held {
  readonly text: string;
  readonly encoding: 'utf8' | 'base64';
}

interface Encoded extends Answer {
  encodingOf(key: string): Held['encoding'];
}

/**
 * The secrets that a pipeline's run may use. Values are cached for a while and forgotten at a denial; near the
 * end of its time a value that is asked for is fetched anew in the background. It always is resolved again: a
 * check of its version alone would take a secret that was deleted and made anew for the old one.
 */
export class SecretsClient {
  readonly #transport: Transport;
  readonly #cache: Cache<Held>;
  readonly #flights = new Flights<Held>();
  readonly #signal: AbortSignal | undefined;
  /** Knows every value that this client gave out. */
  readonly redactor: Redactor;

  constructor(transport: Transport, cache: Cache<Held>, redactor: Redactor, signal: AbortSignal | undefined) {
    this.#transport = transport;
    this.#cache = cache;
    this.redactor = redactor;
    this.#signal = signal;
  }

  /**
   * A secret's value, as text (a secret of bytes: in base64).
   * @throws SecretNotFoundError when nothing of this name serves this pipeline, user and environment
   */
  async get(name: string, { version, signal }: GetOptions = {}): Promise<string> {
    return (await endedBy(signal, this.#value(keyOf(name, version)))).text;
  }

  /**
   * A secret's value as the bytes that were stored, whether as text or as base64.
   * @throws SecretNotFoundError when nothing of this name serves this pipeline, user and environment
   */
  async getBytes(name: string, { version, signal }: GetOptions = {}): Promise<Uint8Array> {
    const { text, encoding } = await endedBy(signal, this.#value(keyOf(name, version)));
    return Buffer.from(text, encoding);
  }

  /**
   * A copy of a config with every reference replaced, by one request.
   * @throws SecretNotFoundError listing every reference that nothing serves, with all of its places
   */
  async resolve<T>(config: T, { signal }: CallOptions = {}): Promise<T> {
    const plan = planConfig(config);
    const answer =
      plan.request === undefined ? undefined : await this.#fetch(plan, this.#cache.ticket(), signal);
    return plan.fill(answer) as T;
  }

  /**
   * Calls `fn` with the value. When it fails by authentication, the secret may have been rotated since it was
   * cached, or not yet where it is used: `fn` is called once more with a value fetched anew, if that is another
   * one, and then with the previous version, while that is kept.
   */
  async use<T>(name: string, fn: (value: string) => T | Promise<T>, options: UseOptions = {}): Promise<T> {
    const { signal, isFailure = isAuthenticationFailure } = options;
    const key = keyOf(name, undefined);
    const sources = [() => this.#value(key), () => this.#anew(key), () => this.#previous(key)];
    return tryEach(
      sources.map((source) => async () => (await endedBy(signal, source()))?.text),
      fn,
      isFailure,
    );
  }

  /** Whether `get(name)` would find something here. Nothing is opened. */
  async exists(name: string, { signal }: CallOptions = {}): Promise<boolean> {
    const config = { value: referenceTo(keyOf(name, undefined)) };
    const reply = await this.#guarded(this.#transport.check(config, this.#until(signal)));
    if (reply.status !== 200) throw this.#refused(reply, (path) => path);
    const [reference] = listOf(recordOf(reply.body)['references']);
    const { found } = recordOf(reference);
    if (typeof found !== 'boolean')
      throw new SecretsError("The server's answer is no check.", { code: 'invalid_answer' });
    return found;
  }

  /** Metadata of the secrets that could resolve here, by name; never a value. */
  async list({ signal }: CallOptions = {}): Promise<readonly SecretMetadata[]> {
    return this.#guarded(this.#transport.list(this.#until(signal)));
  }

  /** No value, and no credential, stands in what is printed of a client. */
  toJSON(): string {
    return 'SecretsClient(****)';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toJSON();
  }

  async #value(key: string): Promise<Held> {
    const cached = this.#cache.get(key);
    if (cached === undefined) return this.#fly(key);
    // A denial clears the cache; any other failure is met when the value's time is over.
    if (cached.isAging) this.#fly(key).catch(() => undefined);
    return cached.value;
  }

  async #anew(key: string): Promise<Held> {
    this.#cache.drop(key);
    return this.#fly(key);
  }

  async #previous(key: string): Promise<Held | undefined> {
    try {
      return await this.#value(`${key}@previous`);
    } catch (error) {
      if (error instanceof UnresolvedReferencesError) return undefined;
      throw error;
    }
  }

  /**
   * Not ended by one caller's signal: others may wait for the same flight. None is joined that was on its way when
   * something was forgotten: its value may be older than the denial, or than the rotation.
   */
  #fly(key: string): Promise<Held> {
    return this.#flights.fetch(
      key,
      this.#cache.barrier,
      () => this.#cache.ticket(),
      (ticket) => this.#ask(key, ticket),
    );
  }

  async #ask(key: string, ticket: Ticket): Promise<Held> {
    const answer = await this.#fetch(planConfig({ value: referenceTo(key) }), ticket);
    const text = answer.values.get(key);
    if (typeof text !== 'string')
      throw new SecretsError("The server's answer has no value.", { code: 'invalid_answer' });
    return { text, encoding: answer.encodingOf(key) };
  }

  async #fetch(plan: ReturnType<typeof planConfig>, ticket: Ticket, signal?: AbortSignal): Promise<Encoded> {
    const reply = await this.#guarded(this.#transport.resolve(plan.request, this.#until(signal)));
    if (reply.status !== 200) throw this.#refused(reply, plan.ownPath);
    const { config, secrets } = recordOf(reply.body);
    const answer = plan.take(config);
    const encodingOf = encodingsIn(secrets);
    for (const value of [...answer.values.values(), ...answer.further]) this.redactor.addValue(value);
    for (const [key, text] of answer.values) {
      if (key.includes('.') || typeof text !== 'string') continue;
      const encoding = encodingOf(key);
      if (encoding === 'base64') this.redactor.addBytes(Buffer.from(text, encoding));
      this.#cache.put(key, { text, encoding }, ticket);
    }
    return { ...answer, encodingOf };
  }

  async #guarded<T>(asking: Promise<T>): Promise<T> {
    try {
      return await asking;
    } catch (error) {
      if (error instanceof AccessDeniedError) this.#cache.clear();
      throw error;
    }
  }

  #refused(reply: Reply, ownPath: (path: string) => string): SecretsError {
    const error = errorOf(reply, ownPath);
    if (error instanceof AccessDeniedError) this.#cache.clear();
    if (error instanceof UnresolvedReferencesError) for (const name of error.names) this.#cache.drop(name);
    return error;
  }

  #until(signal: AbortSignal | undefined): AbortSignal | undefined {
    if (signal === undefined || this.#signal === undefined) return signal ?? this.#signal;
    return AbortSignal.any([signal, this.#signal]);
  }
}

/** @param secrets what the server says of the versions that it used */
function encodingsIn(secrets: unknown): (key: string) => Held['encoding'] {
  const used = listOf(secrets).map(recordOf);
  const ofBytes = new Set(
    used.flatMap((each) => (each['encoding'] === 'base64' ? listOf(each['references']) : [])),
  );
  return (key) => (ofBytes.has(key) ? 'base64' : 'utf8');
}

function referenceTo(key: string): string {
  return `{{secrets.${key}}}`;
}

/** @throws InvalidReferenceError for a name or a version that no secret can have */
function keyOf(name: string, version: number | 'previous' | 'pending' | undefined): string {
  if (typeof name !== 'string' || !isName(name))
    throw new InvalidReferenceError("A secret's name is a letter, then at most 127 letters, digits, _ or -.");
  if (version === undefined) return name;
  if (version !== 'previous' && version !== 'pending' && !(Number.isSafeInteger(version) && version >= 1))
    throw new InvalidReferenceError("A version is a number from 1, 'previous' or 'pending'.");
  return `${name}@${version}`;
}
