import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { codeBlocks, type Page, readPages } from '../unit/docs/markdown.ts';

/**
 * The documentation is run as it stands: the `sh` blocks of each page, in order, in one shell beside a server
 * that `npm start` started. What cannot run is marked `text` there.
 */

const pages = readPages().filter((page) => codeBlocks(page, 'sh').length > 0);

describe('the commands of the documentation', () => {
  test('are there', () => {
    expect(pages.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['README.md', 'docs/api.md', 'docs/operations.md']),
    );
  });

  test.each(pages)('$path', async (page) => {
    const home = mkdtempSync(join(tmpdir(), 'fm-docs-'));
    const dataDir = join(home, 'data');
    // A page that shows a refusal would have to say so: every answer of 400 and above ends the shell.
    writeFileSync(join(home, '.curlrc'), 'fail-with-body\nshow-error\n');
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('FM_'));
    const places = { HOME: home, XDG_CONFIG_HOME: home, FM_DATA_DIR: dataDir, FM_PORT: '0' };
    const env = { ...Object.fromEntries(others), ...places };
    const server = await start(env);
    try {
      const script = await asItWouldBe(page, server.address, dataDir);
      const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { env });
      if (page.path === 'README.md') expect(stdout).toMatch(/"sk-first".*"sk-second"/s);
    } finally {
      await server.stop();
      rmSync(home, { recursive: true });
    }
  });
});

/** The page's commands with the addresses and the folder of this run, so that no other server is met. */
async function asItWouldBe(page: Page, address: string, dataDir: string): Promise<string> {
  return codeBlocks(page, 'sh')
    .join('\n')
    .replaceAll('127.0.0.1:4310', address)
    .replaceAll('4399', String(await freePort()))
    .replaceAll('.flowmason/', `${dataDir}/`);
}

async function start(env: NodeJS.ProcessEnv) {
  const server = spawn('npm', ['start'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  // Closed, and not only ended: a server that outlived its npm would still hold the pipe.
  const closed = new Promise<void>((resolve) => server.once('close', () => resolve()));
  const stop = async () => {
    server.kill('SIGTERM');
    await closed;
  };
  for await (const line of createInterface(server.stdout)) {
    const address = /is ready at http:\/\/([\d.:]+);/.exec(line)?.[1];
    if (address === undefined) continue;
    server.stdout.resume();
    return { address, stop };
  }
  throw new Error('npm start ended before the server was ready');
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
