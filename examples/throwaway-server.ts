import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const project = dirname(dirname(fileURLToPath(import.meta.url)));

const adminFile = z.object({ api_key: z.string() });

/** A server whose data lives in a new folder, for as long as it is not disposed of. */
export interface ThrowawayServer extends AsyncDisposable {
  readonly url: string;
  readonly adminKey: string;
}

/**
 * Starts the embedded host on a free port.
 * @throws Error with what it said when it ends before it is ready
 */
export async function startThrowawayServer(): Promise<ThrowawayServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fm-demo-'));
  // process.execPath is the Node that runs us, so the server runs on the same one. Its stdout shows the admin
  // key of the first start and is read here instead of being passed on.
  const server = spawn(process.execPath, ['infra/local/server.ts'], {
    cwd: project,
    env: { ...withoutOurs(process.env), FM_DATA_DIR: dataDir, FM_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  server.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => {
    server.once('close', () => resolve());
    server.once('error', () => resolve());
  });
  const stop = async () => {
    server.kill('SIGTERM');
    await ended;
    await rm(dataDir, { recursive: true });
  };
  try {
    for await (const line of createInterface(server.stdout)) {
      const url = /is ready at (http\S+);/.exec(line)?.[1];
      if (url === undefined) continue;
      server.stdout.resume();
      const { api_key } = adminFile.parse(JSON.parse(await readFile(join(dataDir, 'admin.json'), 'utf8')));
      return { url, adminKey: api_key, [Symbol.asyncDispose]: stop };
    }
  } catch (error) {
    await stop();
    throw error;
  }
  await stop();
  throw new Error(`The server ended before it was ready. ${said}`);
}

/** The environment without settings of a real server: its keyring must not be met here. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('FM_')));
}
