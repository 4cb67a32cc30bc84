import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  APIGatewayProxyStructuredResultV2,
  APIGatewayRequestAuthorizerEventV2,
  Context,
} from 'aws-lambda';
import { afterAll } from 'vitest';
import * as z from 'zod';
import { routes } from '../../functions/routes.ts';
import { createOrganization } from '../../shared/callers/create-organization.ts';
import { createdApiKey, startedRun } from '../../shared/contract/access.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import type { HttpEvent } from '../../shared/http/define-handler.ts';

/**
 * The exported handlers, called in this process on a store of their own. No server and no gateway between: what
 * a test file sees here is what the functions answer. Each test file that imports this has its own store.
 */
const dataDir = mkdtempSync(join(tmpdir(), 'fm-handlers-'));
process.env['FM_DATA_DIR'] = dataDir;

// Only after FM_DATA_DIR is set: the store is opened as this is loaded.
export const { services } = await import('../../shared/embedded/services.ts');
const { handler: authorize } = await import('../../functions/authorize.ts');
const { handler: recordAudit } = await import('../../functions/record-audit.ts');

type Handler = (event: HttpEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;
const handlers = new Map(
  await Promise.all(
    routes.map(async ({ name }) => {
      const { handler } = (await import(`../../functions/api/${name}.ts`)) as { handler: Handler };
      return [name, handler] as const;
    }),
  ),
);

/** Everything that was written to stderr, for canary scans; it is not shown. */
export const logged: string[] = [];
const write = process.stderr.write.bind(process.stderr);
process.stderr.write = (chunk: string | Uint8Array) => {
  logged.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
  return true;
};

afterAll(() => {
  process.stderr.write = write;
  services.database.close();
  rmSync(dataDir, { recursive: true });
});

export interface Request {
  /** The bearer credential; none when absent. */
  readonly as?: string | undefined;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly rawBody?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly requestId: string;
}

/** Calls a route's handler as API Gateway would: the authorizer first, then the function. */
export async function call(name: string, request: Request = {}): Promise<Reply> {
  const route = routes.find((one) => one.name === name);
  const handler = handlers.get(name);
  if (route === undefined || handler === undefined) throw new TypeError(`no route ${name}`);
  const { as, params = {}, query = {}, body, rawBody, headers = {} } = request;
  const sent = { ...headers, ...(as === undefined ? {} : { authorization: `Bearer ${as}` }) };
  const requestId = randomUUID();
  const { context } = await authorize({
    headers: sent,
    requestContext: { requestId, http: { sourceIp: '127.0.0.1' } },
  } as unknown as APIGatewayRequestAuthorizerEventV2);
  const path = route.path.replace(/\{(\w+)\}/g, (_, part: string) => encodeURIComponent(params[part] ?? ''));
  const text = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
  const event: HttpEvent = {
    version: '2.0',
    routeKey: `${route.method} ${route.path}`,
    rawPath: path,
    rawQueryString: new URLSearchParams(query).toString(),
    headers: sent,
    queryStringParameters: { ...query },
    pathParameters: { ...params },
    requestContext: {
      accountId: 'test',
      apiId: 'test',
      authorizer: { lambda: context },
      domainName: 'test',
      domainPrefix: 'test',
      http: {
        method: route.method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: '192.0.2.1',
        userAgent: 'test',
      },
      requestId,
      routeKey: `${route.method} ${route.path}`,
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    isBase64Encoded: false,
    ...(text === undefined ? {} : { body: text }),
  };
  const answer = await handler(event, {} as Context);
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers ?? {},
    text: answer.body ?? '',
    requestId,
  };
}

/** The JSON of an answer, as an object. */
export function jsonOf(reply: Reply): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(reply.text));
}

/** The JSON of a page. */
export function itemsOf(reply: Reply): Record<string, unknown>[] {
  return z.array(z.record(z.string(), z.unknown())).parse(JSON.parse(reply.text));
}

/** Every item of a collection, by following its `Link` until there is none. */
export async function allPages(name: string, request: Request): Promise<Record<string, unknown>[][]> {
  const pages: Record<string, unknown>[][] = [];
  for (let query = request.query ?? {}; ; ) {
    const reply = await call(name, { ...request, query });
    pages.push(itemsOf(reply));
    const link = reply.headers['link'];
    if (link === undefined) return pages;
    const next = /^<[^?>]+\?([^>]*)>; rel="next"$/.exec(String(link))?.[1];
    if (next === undefined) throw new TypeError('a Link that is none');
    query = Object.fromEntries(new URLSearchParams(next));
    if (pages.length > 1000) throw new TypeError('the pages do not end');
  }
}

/** Makes an organization and gives its admin key. */
export async function newOrganization(id: string): Promise<string> {
  let adminKey = '';
  await createOrganization(services, organizationId.parse(id), (key) => {
    adminKey = key;
  });
  return adminKey;
}

/** Makes an API key and gives it. */
export async function newKey(admin: string, fields: object): Promise<string> {
  return (await newKeyWithId(admin, fields)).api_key;
}

export async function newKeyWithId(admin: string, fields: object) {
  const reply = await call('create-api-key', { as: admin, body: { name: 'test', ...fields } });
  return createdApiKey.parse(JSON.parse(reply.text));
}

/** Begins a run and gives its token. */
export async function newRun(runtime: string, fields: object) {
  return startedRun.parse(JSON.parse((await call('start-run', { as: runtime, body: fields })).text));
}

/** What a request left in the outbox, and so will be in the audit log. */
export function eventsOf({ requestId }: Reply): Record<string, unknown>[] {
  const rows = services.database.all<{ event: string }>(
    "SELECT event FROM outbox WHERE event ->> '$.request_id' = ? ORDER BY position",
    requestId,
  );
  return rows.map(({ event }) => z.record(z.string(), z.unknown()).parse(JSON.parse(event)));
}

/** Moves what waits in the outbox to the audit log, as the stream does. */
export async function record(): Promise<void> {
  for (;;) {
    const pending = services.auditStore.pending(100);
    if (pending.length === 0) return;
    const { batchItemFailures } = await recordAudit({
      Records: pending.map(({ position, event }) => ({
        eventName: 'INSERT',
        dynamodb: { SequenceNumber: String(position), NewImage: { event: { S: event } } },
      })),
    });
    if (batchItemFailures.length > 0) throw new TypeError('events were not recorded');
    await services.auditStore.settle(pending.map(({ position }) => position));
  }
}
