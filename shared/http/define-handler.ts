import { createHmac } from 'node:crypto';
import middy from '@middy/core';
import type {
  APIGatewayProxyEventV2WithLambdaAuthorizer,
  APIGatewayProxyStructuredResultV2,
} from 'aws-lambda';
import { unauthenticated } from '../access/authenticate.ts';
import type { Caller, CallOrigin, Identity } from '../access/caller.ts';
import { invalid, problems, SecretsError } from '../contract/errors.ts';
import type { Page, TextPage } from '../contract/page.ts';
import type { ItemOf, RequestOf, Route } from '../contract/route.ts';
import { type ReplayNeeds, replayOf } from './idempotency.ts';
import { parseInput, parseJsonBody } from './input.ts';
import { type Log, logEntryOf, problemResponse } from './problem.ts';
import { safeHeaders } from './safe-headers.ts';

/** What the authorizer hands to the handlers: the proven identity as JSON, or nothing when there is none. */
export interface AuthorizerContext {
  readonly identity?: string;
}

export type HttpEvent = APIGatewayProxyEventV2WithLambdaAuthorizer<AuthorizerContext>;
type Result = APIGatewayProxyStructuredResultV2;

export interface EdgeNeeds extends ReplayNeeds {
  readonly log: Log;
}

/** An answer whose status is not the route's usual one. */
export class Answer<Item> {
  readonly status: number;
  readonly item: Item;

  constructor(status: number, item: Item) {
    this.status = status;
    this.item = item;
  }
}

type AnswerOf<R extends Route> = R extends { media: readonly string[] }
  ? TextPage
  : R extends { paged: true }
    ? Page<ItemOf<R>>
    : ItemOf<R> | Answer<ItemOf<R>>;

/** A use-case as the edge calls it. */
export type Run<Needs, R extends Route> = (
  needs: Needs,
  caller: Caller,
  request: RequestOf<R>,
) => Promise<AnswerOf<R>>;

/**
 * A Lambda handler of a route that needs a caller: parses the request, runs the use-case, and lets out of its
 * answer only what the route's output names.
 */
export function defineHandler<Needs extends EdgeNeeds, R extends Route>(
  needs: Needs,
  route: R,
  run: Run<Needs, R>,
) {
  return edge(needs, route, async (event) => {
    const caller = callerOf(event);
    const repeated = await replayOf(needs, caller);
    if (repeated !== null) return repeated;
    const request = readRequest(route, event);
    try {
      return respond(route, event, await run(needs, caller, request));
    } catch (error) {
      // Two of the same request at once: the one that lost the race, or found the secret deleted or restored
      // by the other one, answers what that one did.
      const lost = error instanceof SecretsError && [404, 409].includes(problems[error.code].status);
      const won = lost ? await replayOf(needs, caller) : null;
      if (won === null) throw error;
      return won;
    }
  });
}

/** A Lambda handler of a route that anyone may ask. */
export function definePublicHandler<Needs extends { readonly log: Log }, R extends Route>(
  needs: Needs,
  route: R,
  run: (needs: Needs, request: RequestOf<R>) => Promise<AnswerOf<R>>,
) {
  return edge(needs, route, async (event) =>
    respond(route, event, await run(needs, readRequest(route, event))),
  );
}

function edge({ log }: { log: Log }, route: Route, answer: (event: HttpEvent) => Promise<Result>) {
  return middy<HttpEvent, Result>()
    .use({
      onError: (request) => {
        const requestId = request.event.requestContext.requestId;
        const response = problemResponse(request.error, requestId);
        const level = (response.statusCode ?? 500) >= 500 ? 'error' : 'info';
        log({
          level,
          route: route.name,
          status: response.statusCode,
          request_id: requestId,
          ...logEntryOf(request.error),
        });
        request.response = response;
      },
    })
    .handler(answer);
}

function callerOf(event: HttpEvent): Caller {
  const identity = event.requestContext.authorizer?.lambda?.identity;
  if (identity === undefined) throw unauthenticated();
  return { ...(JSON.parse(identity) as Identity), ...originOf(event) };
}

function originOf({ headers, requestContext, rawPath, rawQueryString, body }: HttpEvent): CallOrigin {
  const { requestId, http } = requestContext;
  const key = headers['idempotency-key'];
  if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw invalid('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
  }
  // Keyed by the credential, which the store does not hold: a plain hash of a body would be one of the value, and
  // so would the key be when a client put a value there.
  const digest = (what: string) =>
    createHmac('sha256', headers['authorization'] ?? '')
      .update(what)
      .digest('base64');
  const claim = (sent: string) => ({
    key: digest(`key ${sent}`),
    fingerprint: digest(`${http.method} ${rawPath}?${rawQueryString}\n${body ?? ''}`),
  });
  return {
    request_id: requestId,
    ip_address: http.sourceIp || null,
    idempotency: key === undefined || http.method === 'GET' ? null : claim(key),
  };
}

function readRequest<R extends Route>(route: R, event: HttpEvent): RequestOf<R> {
  const { params, query, body } = route;
  const sent =
    body === null ? {} : parseJsonBody(event.headers['content-type'], event.body, event.isBase64Encoded);
  const inPath = params === null ? {} : (parseInput(params, event.pathParameters ?? {}) as object);
  const inBody = body === null ? {} : (parseInput(body, sent ?? {}) as Record<string, unknown>);
  for (const [name, value] of Object.entries(inPath)) {
    if (inBody[name] !== undefined && inBody[name] !== value)
      throw invalid(name, 'must be the same as in the path');
  }
  const inQuery = query === null ? {} : (parseInput(query, event.queryStringParameters ?? {}) as object);
  return { ...inQuery, ...inBody, ...inPath } as RequestOf<R>;
}

function respond<R extends Route>(route: R, event: HttpEvent, answer: AnswerOf<R>): Result {
  const headers = { ...safeHeaders, 'x-request-id': event.requestContext.requestId };
  if (route.output === null) return { statusCode: route.status, headers };
  const output = route.output;
  const json = { ...headers, 'content-type': 'application/json' };
  if (route.paged) {
    const { items, next } = answer as unknown as Page<unknown>;
    const link = next === undefined ? {} : { link: nextLink(event, next) };
    if (route.media !== undefined) {
      const { media } = answer as unknown as TextPage;
      const body = items.map((line) => `${line}\n`).join('');
      return { statusCode: 200, headers: { ...headers, 'content-type': media, ...link }, body };
    }
    return {
      statusCode: 200,
      headers: { ...json, ...link },
      body: JSON.stringify(items.map((item) => output.parse(item))),
    };
  }
  const { status, item } = answer instanceof Answer ? answer : { status: route.status, item: answer };
  return { statusCode: status, headers: json, body: JSON.stringify(output.parse(item)) };
}

/** The `Link` header of RFC 8288, relative to where the page itself was asked for. */
function nextLink(event: HttpEvent, cursor: string): string {
  const query = new URLSearchParams(event.rawQueryString);
  query.set('cursor', cursor);
  return `<${event.rawPath}?${query.toString()}>; rel="next"`;
}
