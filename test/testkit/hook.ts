import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A request that a hook got. */
export interface HookRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A real https server on this machine that calls itself hooks.example.com, and what it was asked. */
export interface Hook extends AsyncDisposable {
  readonly port: number;
  /** Its own root. */
  readonly ca: string;
  readonly asked: HookRequest[];
  respond: (response: ServerResponse) => void;
}

/** Starts a hook on a free port, with a certificate of its own. */
export async function startHook(): Promise<Hook> {
  const folder = mkdtempSync(join(tmpdir(), 'fm-hook-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const name = 'hooks.example.com';
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-keyout', key, '-out', cert, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`],
  ]);
  if (made.status !== 0) throw new Error('openssl made no certificate');
  const ca = readFileSync(cert, 'utf8');
  const asked: HookRequest[] = [];
  const server = createServer({ key: readFileSync(key), cert: ca }, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      asked.push({ path: request.url ?? '', headers: request.headers, body });
      hook.respond(response);
    });
  });
  rmSync(folder, { recursive: true, force: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const hook: Hook = {
    port,
    ca,
    asked,
    respond: (response) => response.end('fine'),
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return hook;
}
