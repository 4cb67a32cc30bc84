import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

const adminFile = z.object({ api_url: z.string(), api_key: z.string(), org: z.string() });

/** An answer of the server, its body parsed when it is JSON. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every route
  readonly body: any;
}

/** A server of its own process and folder. Dispose of it: the process is killed and the folder removed. */
export interface TestServer extends AsyncDisposable {
  readonly dataDir: string;
  readonly url: string;
  readonly adminKey: string;
  readonly pid: number;
  /** All that it said so far, on stdout and stderr. */
  said(): string;
  /** Sends a request as JSON. @param key the bearer credential; the first admin key when absent, none when null */
  call(method: string, path: string, body?: unknown, key?: string | null): Promise<Reply>;
  /** Ends it by a signal. @returns the exit code, null when the signal ended it */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

/** A new folder for a server's data. */
export function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'fm-test-'));
}

/** A process whose settings are those given and no others of ours. */
export function environmentOf(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('FM_'));
  return { ...Object.fromEntries(others), ...settings };
}

/**
 * Starts the embedded host on a free port.
 * @param dataDir the folder of a server before, or a new one
 * @param launcher a command line that runs the server, for example a tracer
 * @throws Error with what it said when it ends before it is ready
 */
export async function startServer(
  dataDir: string = newDataDir(),
  settings: Readonly<Record<string, string>> = {},
  launcher: readonly string[] = [],
): Promise<TestServer> {
  const [command = process.execPath, ...args] = [...launcher, process.execPath, 'infra/local/server.ts'];
  const child = spawn(command, args, {
    // The cache is that of `npm start`: what was compiled once is not compiled for each server of a suite.
    env: environmentOf({
      FM_DATA_DIR: dataDir,
      FM_PORT: '0',
      // Tests ask more often than people do.
      FM_RATE_LIMIT: '0',
      NODE_COMPILE_CACHE: 'node_modules/.cache/compiled',
      ...settings,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A test that throws before it disposes of its server must not leave it behind.
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  child.once('close', () => process.off('exit', orphaned));
  let said = '';
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      said += chunk.toString();
      const ready = /is ready at (http\S+);/.exec(said)?.[1];
      if (ready !== undefined) resolve(ready);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  const adminKey = adminFile.parse(JSON.parse(readFileSync(join(dataDir, 'admin.json'), 'utf8'))).api_key;
  const stop = async (signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal);
    return ended;
  };
  return {
    dataDir,
    url,
    adminKey,
    pid: pidOf(child),
    said: () => said,
    call: (method, path, body, key) => request(url, method, path, body, key === undefined ? adminKey : key),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop('SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function request(
  url: string,
  method: string,
  path: string,
  body: unknown,
  key: string | null,
): Promise<Reply> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: jsonOf(text) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('the server has no process');
  return pid;
}

/** Waits until something is so. @throws Error when it is not so in time */
export async function eventually<T>(look: () => Promise<T | undefined | false>, seconds = 20): Promise<T> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`it was not so within ${seconds} seconds`);
}

/** Waits until every event of a server is in its audit log. */
export async function auditSettled(server: TestServer): Promise<void> {
  await eventually(async () => (await server.call('GET', '/health', undefined, null)).body.audit_lag === 0);
}
