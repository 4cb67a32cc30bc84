import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { services } from '#services';
import { handler as authorize } from '../../functions/authorize.ts';
import { routes } from '../../functions/routes.ts';
import { SecretsError } from '../../shared/contract/errors.ts';
import type { AuthorizerContext, HttpEvent } from '../../shared/http/define-handler.ts';
import { logEntryOf, problemResponse } from '../../shared/http/problem.ts';
import { authorizerEvent, httpEvent, type Matched } from './events.ts';
import type { RateLimit } from './rate-limit.ts';

type Handler = (event: HttpEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

interface Target {
  readonly method: string;
  readonly routeKey: string;
  readonly segments: readonly string[];
  readonly isPublic: boolean;
  readonly handler: Handler;
}

/** Lambda takes 6 MB; of what is larger nothing is kept. */
const MAX_BODY_BYTES = 6 * 1024 * 1024;
/** A client hears why it was refused only when it may send to the end; one that sends this much is cut off. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

/** What API Gateway does on AWS: matches the route, asks the authorizer, holds back floods, calls the function. */
export async function createGateway(rateLimit: RateLimit) {
  const targets = await Promise.all(
    routes.map(async ({ name, method, path, action }): Promise<Target> => {
      const module = (await import(`../../functions/api/${name}.ts`)) as { handler: Handler };
      const isPublic = action === 'public';
      return {
        method,
        routeKey: `${method} ${path}`,
        segments: path.split('/'),
        isPublic,
        handler: module.handler,
      };
    }),
  );
  let inFlight = 0;
  let whenIdle: () => void = () => undefined;

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    inFlight += 1;
    const isGone = new Promise<void>((resolve) => response.once('close', resolve));
    handle(targets, rateLimit, request)
      .then((result) => {
        send(response, result);
        // An answer may be larger than a socket takes at once: it is under way until its last byte is.
        return isGone;
      })
      .catch(() => response.destroy())
      .finally(() => {
        inFlight -= 1;
        if (inFlight === 0) whenIdle();
      });
  };
  /** Settles when no request is being answered. */
  const idle = () =>
    new Promise<void>((resolve) => {
      whenIdle = resolve;
      if (inFlight === 0) resolve();
    });
  return { answer, idle };
}

async function handle(
  targets: readonly Target[],
  rateLimit: RateLimit,
  request: IncomingMessage,
): Promise<APIGatewayProxyStructuredResultV2> {
  const requestId = randomUUID();
  try {
    const [path = '/', query = ''] = splitOnce(request.url ?? '/', '?');
    const { target, pathParameters } = match(targets, request.method ?? 'GET', path);
    const body = await readBody(request);
    const { context }: { context: AuthorizerContext } = target.isPublic
      ? { context: {} }
      : await authorize(authorizerEvent(request, requestId));
    const matched: Matched = { requestId, routeKey: target.routeKey, pathParameters, path, query, body };
    // What cannot prove itself shares no allowance: it would take it from others behind the same address.
    const allowance = context.identity === undefined ? {} : rateLimit.take(context.identity);
    const result = await target.handler(httpEvent(request, matched, context), {} as Context);
    return { ...result, headers: { ...result.headers, ...allowance } };
  } catch (error) {
    if (!(error instanceof SecretsError))
      services.log({ level: 'error', request_id: requestId, ...logEntryOf(error) });
    return problemResponse(error, requestId);
  }
}

/** @throws SecretsError `not_found`, `method_not_allowed`, `malformed_request` */
function match(targets: readonly Target[], method: string, path: string) {
  const asked = `${method} ${path}`;
  const exact = targets.find(({ routeKey }) => routeKey === asked);
  if (exact !== undefined) return { target: exact, pathParameters: {} };
  const segments = path.split('/');
  const onPath = targets.filter(({ segments: pattern }) => fits(pattern, segments));
  const target = onPath.find((candidate) => candidate.method === method);
  if (target !== undefined) return { target, pathParameters: parametersOf(target.segments, segments) };
  if (onPath.length === 0)
    throw new SecretsError('not_found', 'No such route. GET /openapi.json lists them.');
  const allow = onPath.map((at) => at.method).join(', ');
  throw new SecretsError('method_not_allowed', `This path takes ${allow}.`, { members: { allow } });
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) => part.startsWith('{') || part === segments[index]);
}

function parametersOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> {
  const parameters: Record<string, string> = {};
  pattern.forEach((part, index) => {
    if (part.startsWith('{')) parameters[part.slice(1, -1)] = decode(segments[index] ?? '');
  });
  return parameters;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new SecretsError('malformed_request', 'The path is not valid percent-encoding.');
  }
}

/** @throws SecretsError `body_too_large`, `malformed_request` */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const { chunks, length } = await arrival(request).catch(() => {
    // The client left, or was cut off for its silence: nothing went wrong here.
    throw new SecretsError('malformed_request', 'The body did not arrive whole.');
  });
  if (length > MAX_BODY_BYTES)
    throw new SecretsError('body_too_large', `At most ${MAX_BODY_BYTES} bytes are taken.`);
  const [body = NOTHING] = chunks.length > 1 ? [Buffer.concat(chunks)] : chunks;
  // Decoding would put another character in the place of what is not UTF-8, and store a value never sent.
  if (!isUtf8(body)) throw new SecretsError('malformed_request', 'The body is not valid UTF-8.');
  return length === 0 ? undefined : body.toString('utf8');
}

const NOTHING = Buffer.alloc(0);

/** By events: to iterate over a request costs half as much again as all that HTTP does for it. */
function arrival(request: IncomingMessage): Promise<{ chunks: readonly Buffer[]; length: number }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_DISCARDED_BYTES) request.destroy();
      if (length <= MAX_BODY_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.once('end', () => resolve({ chunks, length }));
    request.once('error', reject);
    request.once('close', reject);
  });
}

function send(
  response: ServerResponse,
  { statusCode = 200, headers, body = '' }: APIGatewayProxyStructuredResultV2,
): void {
  const all: Record<string, string | number> = { 'content-length': Buffer.byteLength(body) };
  for (const [name, value] of Object.entries(headers ?? {})) all[name] = String(value);
  response.writeHead(statusCode, all);
  // Not end(body): a server that closes takes what is ended for what is sent, and cuts it off.
  response.write(body, () => response.end());
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
