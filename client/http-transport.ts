import { SettingsError, UnavailableError } from './errors.ts';
import type { SecretMetadata } from './metadata.ts';
import { parseJson } from './numbers.ts';
import { errorOf, type Reply, transient } from './problems.ts';
import { type RetryOptions, retrying } from './retry.ts';
import { placeOf, type Settings } from './settings.ts';
import type { Transport } from './transport.ts';

const MAX_PAGES = 1000;

interface Page extends Reply {
  /** The query of the next page. */
  readonly next: string | undefined;
}

/** The HTTP API. Redirects are not followed: they could lead the credential elsewhere. */
export class HttpTransport implements Transport {
  readonly #base: string;
  readonly #credential: string;
  readonly #place: Readonly<Record<string, string>>;
  readonly #retry: RetryOptions;
  readonly #fetch: typeof fetch;

  constructor(settings: Settings, retry: RetryOptions, fetcher: typeof fetch) {
    const credential = settings.runToken ?? settings.apiKey;
    if (settings.apiUrl === undefined || credential === undefined)
      throw new SettingsError('The HTTP API needs an address and a credential.');
    this.#base = `${settings.apiUrl.replace(/\/+$/, '')}/api/v1`;
    this.#credential = credential;
    this.#place = placeOf(settings);
    this.#retry = retry;
    this.#fetch = fetcher;
  }

  resolve(config: unknown, signal?: AbortSignal): Promise<Reply> {
    return this.#send('POST', '/resolve', { config, ...this.#place }, signal);
  }

  check(config: unknown, signal?: AbortSignal): Promise<Reply> {
    return this.#send('POST', '/resolve/check', { config, ...this.#place }, signal);
  }

  async list(signal?: AbortSignal): Promise<readonly SecretMetadata[]> {
    const found: SecretMetadata[] = [];
    let query: string | undefined = '?limit=1000';
    for (let pages = 0; query !== undefined; pages += 1) {
      if (pages === MAX_PAGES) throw invalidAnswer(`The list has more than ${MAX_PAGES} pages.`);
      const page: Page = await this.#send('GET', `/secrets${query}`, undefined, signal);
      if (page.status !== 200) throw errorOf(page, (path) => path);
      if (!Array.isArray(page.body)) throw invalidAnswer("The server's answer is no list.");
      found.push(...page.body);
      query = page.next;
    }
    return found;
  }

  #send(method: string, path: string, content: unknown, signal: AbortSignal | undefined): Promise<Page> {
    const body = content === undefined ? null : JSON.stringify(content);
    return retrying(this.#retry, signal, (until) => this.#attempt(method, path, body, until));
  }

  async #attempt(method: string, path: string, body: string | null, signal: AbortSignal): Promise<Page> {
    const reply = await this.#ask(method, path, body, signal).catch((error: unknown) => {
      // A new error and no cause: what an HTTP library throws may hold the request.
      throw new UnavailableError(`The server could not be reached (${reasonOf(error)}).`);
    });
    if (transient.has(reply.status)) throw errorOf(reply, (place) => place, reply.retryAfter);
    return reply;
  }

  async #ask(method: string, path: string, body: string | null, signal: AbortSignal) {
    const headers = {
      authorization: `Bearer ${this.#credential}`,
      accept: 'application/json',
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    };
    const fetcher = this.#fetch; // called as a function: a platform's own refuses another `this`
    const answer = await fetcher(this.#base + path, { method, headers, body, signal, redirect: 'manual' });
    return {
      status: answer.status,
      body: parsed(await answer.text()),
      next: nextQuery(answer.headers.get('link')),
      retryAfter: secondsOf(answer.headers.get('retry-after')),
    };
  }
}

/** The body; undefined when it is no JSON. The parser's error would quote the text. */
function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** A code such as ECONNREFUSED, or the class of what was thrown. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}

/** Only the query of a link is followed: the credential goes to the server that it is for. */
function nextQuery(link: string | null): string | undefined {
  return /<[^<>?]*(\?[^<>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
}

function secondsOf(header: string | null): number | undefined {
  return header !== null && /^[0-9]{1,6}$/.test(header) ? Number(header) : undefined;
}

function invalidAnswer(message: string): UnavailableError {
  return new UnavailableError(message, { code: 'invalid_answer' });
}
