import { signal } from '@preact/signals';

/** The credential of this tab. Sent to this origin and nowhere else; `session.ts` decides how long it is kept. */
export const apiKey = signal<string | null>(null);

/** Since when the server has not answered; null while it does. */
export const unreachableSince = signal<Date | null>(null);

/** Why a request was refused, in the server's own words. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly fields: readonly { readonly path: string; readonly message: string }[];

  constructor(status: number, document: ProblemDocument) {
    super(document.detail ?? document.title ?? `The server answered ${status}.`);
    this.status = status;
    this.code = document.code ?? '';
    this.fields = document.errors ?? [];
  }
}

interface ProblemDocument {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export type Query = Readonly<Record<string, string | number | undefined>>;

interface Request {
  readonly query?: Query | undefined;
  readonly body?: unknown;
  /** Makes a write that is sent twice happen once. */
  readonly once?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws Problem when it was refused, or with status 0 when the server could not be reached */
export async function call<T>(method: string, path: string, request: Request = {}): Promise<T> {
  const response = await send(method, path, request);
  return (response.status === 204 ? null : await response.json()) as T;
}

/** The first page is small, so that something is there to look at soon. */
const FIRST_PAGE = 200;
const PAGE = 1000;

/** A collection, page by page. @throws Problem */
export async function* pagesOf<T>(
  path: string,
  query: Query,
  signal?: AbortSignal,
): AsyncGenerator<readonly T[], void> {
  for (let cursor: string | undefined; ; ) {
    const limit = cursor === undefined ? FIRST_PAGE : PAGE;
    const response = await send('GET', path, { query: { ...query, limit, cursor }, signal });
    yield (await response.json()) as T[];
    // Only the cursor is taken of the link: where to ask is known.
    const next = /[?&]cursor=([\w-]+)[^>]*>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
    if (next === undefined) return;
    cursor = next;
  }
}

const MAX_ATTEMPTS = 5;

async function send(method: string, path: string, request: Request): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await sendOnce(method, path, request);
    if (response.ok) return response;
    // Too many at once: nothing was done, and the server says when to come again.
    if (response.status !== 429 || attempt === MAX_ATTEMPTS) throw await problemOf(response);
    const seconds = Number(response.headers.get('retry-after') ?? attempt);
    await new Promise((resolve) => setTimeout(resolve, Math.min(seconds, 30) * 1000));
  }
}

async function sendOnce(method: string, path: string, request: Request): Promise<Response> {
  const { query = {}, body, once, signal = null } = request;
  const headers = new Headers();
  if (apiKey.value !== null) headers.set('authorization', `Bearer ${apiKey.value}`);
  if (body !== undefined) headers.set('content-type', 'application/json');
  if (once !== undefined) headers.set('idempotency-key', once);
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  try {
    const response = await fetch(`/api/v1${path}${search === '' ? '' : `?${search}`}`, {
      method,
      headers,
      signal,
      body: body === undefined ? null : JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
    unreachableSince.value = null;
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    unreachableSince.value ??= new Date();
    throw new Problem(0, { detail: 'The server does not answer. Nothing is lost: try again when it does.' });
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const document = (await response.json().catch(() => ({}))) as ProblemDocument;
  return new Problem(response.status, document);
}
