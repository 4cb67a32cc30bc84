import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came in. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any;
}

/** What to answer; `reset` cuts the connection, `silence` never answers. */
export type Answer =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | 'reset'
  | 'silence';

/** A real server on this machine that answers what it is told. */
export interface FakeServer extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
}

/** @param answer called for each request, with how many there were, itself among them */
export async function fakeServer(
  answer: (request: Received, count: number) => Answer | Promise<Answer>,
): Promise<FakeServer> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const seen = await receive(request);
    received.push(seen);
    const given = await answer(seen, received.length);
    if (given === 'reset') request.socket.destroy();
    if (given === 'reset' || given === 'silence') return;
    const { status = 200, headers = {}, body = {} } = given;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function receive(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const { method = '', url: path = '', headers } = request;
  return {
    method,
    path,
    authorization: headers.authorization,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

/** Answers a resolve as the server does, from values by reference. */
export function resolving(values: Readonly<Record<string, unknown>>): (request: Received) => Answer {
  const fill = (config: unknown): unknown => {
    if (typeof config === 'string') {
      const [, before = '', key = ''] = /^(.*?)\{\{secrets\.(.*)\}\}$/.exec(config) ?? [];
      return before === '' ? values[key] : before + String(values[key]);
    }
    if (Array.isArray(config)) return config.map(fill);
    if (typeof config !== 'object' || config === null) return config;
    return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, fill(value)]));
  };
  return ({ body }) => ({ body: { config: fill(body.config), secrets: [] } });
}

/** A problem document. */
export function problem(status: number, code: string, more: Record<string, unknown> = {}): Answer {
  const headers = { 'content-type': 'application/problem+json' };
  return { status, headers, body: { status, code, detail: `it is ${code}`, request_id: 'r-1', ...more } };
}
