import * as z from 'zod';
import type { InputError } from '../shared/contract/errors.ts';
import type { Route } from '../shared/contract/route.ts';
import { apiFailure, type Failure, invalidInput, localFailure, problemDocument } from './failure.ts';
import type { Settings } from './settings.ts';

type Sent<Schema> = Schema extends z.ZodType ? z.input<Schema> : unknown;

/** What a call of a route takes: path, query and body in one object, as the handlers see it too. */
export type InputOf<R extends Route> = Sent<R['params']> & Sent<R['query']> & Sent<R['body']>;

/** What a call of a route gives: one item of a paged route, the whole answer of any other. */
export type AnswerOf<R extends Route> = R['output'] extends z.ZodType ? z.output<R['output']> : null;

/** The API, typed by the routes table. Every method throws a {@link Failure} and nothing else on purpose. */
export interface Api {
  call<R extends Route>(route: R, input: InputOf<R>): Promise<AnswerOf<R>>;
  /** Follows `Link: …; rel="next"` to the end, a page at a time. */
  pages<R extends Route & { readonly paged: true }>(
    route: R,
    input: InputOf<R>,
  ): AsyncGenerator<readonly AnswerOf<R>[], void>;
  /** One page, from a cursor on, and the cursor of the next. */
  page<R extends Route & { readonly paged: true }>(
    route: R,
    input: InputOf<R>,
    cursor: string | undefined,
  ): Promise<{ readonly items: readonly AnswerOf<R>[]; readonly next: string | undefined }>;
  /** The same of a route whose answers are text. */
  texts<R extends Route & { readonly media: readonly string[] }>(
    route: R,
    input: InputOf<R>,
  ): AsyncGenerator<string, void>;
}

interface Sending {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly link: string | null;
}

const TIMEOUT_MS = 30_000;
type Server = Settings & { readonly timeoutMs: number };

/** Makes the API of one server. Nothing is sent until a method is called. */
export function createApi(given: Settings, timeoutMs = TIMEOUT_MS): Api {
  const settings = { ...given, timeoutMs };
  return {
    async call(route, input) {
      const answer = await send(settings, route, input);
      if (route.output === null) return null as AnswerOf<typeof route>;
      return understood(route.output, answer.text) as AnswerOf<typeof route>;
    },
    async *pages(route, input) {
      const schema = z.array(route.output ?? z.unknown());
      for await (const text of pagesOf(settings, route, input))
        yield understood(schema, text) as AnswerOf<typeof route>[];
    },
    async page(route, input, cursor) {
      const sent = cursor === undefined ? input : { ...(input as object), cursor };
      const { text, link } = await send(settings, route, sent);
      const items = understood(z.array(route.output ?? z.unknown()), text) as AnswerOf<typeof route>[];
      return { items, next: nextCursor(link, cursor) };
    },
    texts: (route, input) => pagesOf(settings, route, input),
  };
}

/** The items of all pages, one by one. */
export async function* flat<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T, void> {
  for await (const page of pages) yield* page;
}

async function* pagesOf(settings: Server, route: Route, input: unknown): AsyncGenerator<string, void> {
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const sent = cursor === undefined ? input : { ...(input as object), cursor };
    const answer = await send(settings, route, sent);
    yield answer.text;
    cursor = nextCursor(answer.link, cursor);
  }
}

/** Checks an answer against its schema, then returns it whole: members that are new to us stay for `--json`. */
function understood(schema: z.ZodType, text: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw strangeAnswer();
  }
  if (!schema.safeParse(answer).success) throw strangeAnswer();
  return answer;
}

function strangeAnswer(): Failure {
  return localFailure(
    'strange-answer',
    'The answer was not understood',
    'Is this address a FlowMason server?',
    {
      next: ['It may be newer or older than this fm, or something else may answer in its place.'],
    },
  );
}

/** Only the cursor is taken of a Link: an answer must not choose where our key goes next. */
function nextCursor(link: string | null, current: string | undefined): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined) return undefined;
  const cursor = new URL(target, 'http://localhost').searchParams.get('cursor') ?? undefined;
  if (cursor === undefined || cursor === current) throw strangeAnswer();
  return cursor;
}

async function send(settings: Server, route: Route, input: unknown): Promise<Answer> {
  const { url, body } = buildRequest(settings, route, fieldsOf(input));
  const isWrite = route.method !== 'GET' && route.action !== 'resolve' && route.action !== 'check';
  const request: Sending = {
    method: route.method,
    headers: {
      accept: 'application/json, application/problem+json',
      authorization: `Bearer ${settings.apiKey}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(isWrite ? { 'idempotency-key': crypto.randomUUID() } : {}),
    },
    body,
  };
  const answer = await exchange(url, request, settings.timeoutMs).catch((error: unknown) => {
    // The same Idempotency-Key: if the first attempt was done, the second gets its answer and does nothing.
    if (isReset(error))
      return exchange(url, request, settings.timeoutMs).catch((again) => fail(again, settings, isWrite));
    return fail(error, settings, isWrite);
  });
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw refusal(answer, route);
}

/** By node:http and not by fetch, which takes longer to load than all the rest of a command. Follows no redirect. */
async function exchange(url: URL, { method, headers, body }: Sending, timeoutMs: number): Promise<Answer> {
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const sending = request(url, { method, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const link = response.headers['link'] ?? null;
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, text, link: typeof link === 'string' ? link : null });
      });
    });
    sending.once('error', reject);
    sending.end(body);
  });
}

function refusal(answer: Answer, route: Route): Failure {
  let problem: unknown;
  try {
    problem = JSON.parse(answer.text);
  } catch {
    problem = undefined;
  }
  const { data } = problemDocument.safeParse(problem);
  const stranger = {
    type: 'about:blank',
    title: `The server answered ${answer.status}`,
    status: answer.status,
  };
  return apiFailure(data ?? stranger, answer.status, route);
}

function fieldsOf(input: unknown): Readonly<Record<string, unknown>> {
  const given = typeof input === 'object' && input !== null ? input : {};
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Puts each field where the route's schemas expect it. Defaults stay unsent: they are the server's to choose. */
function buildRequest(settings: Settings, route: Route, input: Readonly<Record<string, unknown>>) {
  const params = pick(route.params, input, {});
  const query = pick(route.query, input, params);
  const body = pick(route.body, input, params);
  const errors = [check(route.params, params), check(route.query, query), check(route.body, body)].flat();
  if (errors.length > 0) throw invalidInput(errors);
  const url = new URL(settings.apiUrl);
  const path = route.path.replace(/\{(\w+)\}/g, (_, field: string) =>
    encodeURIComponent(String(params[field])),
  );
  url.pathname = settings.apiUrl.pathname.replace(/\/$/, '') + path;
  for (const [field, value] of Object.entries(query)) url.searchParams.set(field, String(value));
  return { url, body: route.body === null ? undefined : JSON.stringify(body) };
}

function pick(
  schema: z.ZodType | null,
  input: Readonly<Record<string, unknown>>,
  taken: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (!(schema instanceof z.ZodObject)) return {};
  const fields = Object.keys(schema.shape).filter((field) => field in input && !(field in taken));
  return Object.fromEntries(fields.map((field) => [field, input[field]]));
}

function check(schema: z.ZodType | null, part: unknown): readonly InputError[] {
  const issues = schema?.safeParse(part).error?.issues ?? [];
  return issues.map(({ path, message }) => ({ path: path.join('.'), message }));
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}

function isReset(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(codeOf(error));
}

/** Names the address and the error's code, never its message: that may hold what was sent. */
function fail(error: unknown, settings: Settings, isWrite: boolean): never {
  const code = codeOf(error);
  const isRefused = code === 'ECONNREFUSED';
  const next = [
    isRefused ? 'Is it running? npm start' : 'Check the address: --api-url, FM_API_URL or the profile file.',
    ...(/CERT|SIGNATURE/.test(code)
      ? ['A certificate authority of your own goes into NODE_EXTRA_CA_CERTS.']
      : []),
    ...(isWrite && (isReset(error) || code === 'TimeoutError')
      ? ['It is not known whether it was done: look before you repeat it.']
      : []),
  ];
  throw localFailure('unreachable', 'The server cannot be reached', `${settings.apiUrl.origin} (${code})`, {
    next,
  });
}
