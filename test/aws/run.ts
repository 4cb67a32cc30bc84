import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { tellMissingProofs } from '../proofs.ts';
import { installDynamoDBLocal, installMiniStack, installMoto } from './tools.ts';

/**
 * `npm run test:aws`: installs the emulators, starts them on free ports of 127.0.0.1, runs the tests that need
 * them, and stops what it started. The last line is `N passed, N failed`. Arguments go to vitest:
 * `npm run test:aws -- kms`.
 */

const folder = mkdtempSync(join(tmpdir(), 'fm-aws-'));
const started: ChildProcess[] = [];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

/** The environment of an emulator: this process's, without what would lead its requests elsewhere. */
function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { AWS_ENDPOINT_URL: _url, AWS_CA_BUNDLE: _bundle, NODE_EXTRA_CA_CERTS: _certs, ...env } = process.env;
  // MiniStack runs every handler with the node that it finds first.
  const path = `${dirname(process.execPath)}${delimiter}${env['PATH'] ?? ''}`;
  return { ...env, PATH: path, ...more };
}

function start(
  name: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  const log = openSync(join(folder, `${name}.log`), 'w');
  const child = spawn(command, args, { cwd: folder, env: environment(env), stdio: ['ignore', log, log] });
  child.on('error', (error) => process.stderr.write(`${name}: ${error.message}\n`));
  started.push(child);
  return child;
}

/** Whether something answers HTTP there. It has made its certificate itself, so here nobody asks who it is. */
function answers(endpoint: string): Promise<boolean> {
  const get = endpoint.startsWith('https:') ? getSecure : getPlain;
  return new Promise((resolve) => {
    const request = get(endpoint, { rejectUnauthorized: false }, (answer) => {
      answer.destroy();
      resolve(true);
    });
    request.on('error', () => resolve(false));
  });
}

/** Waits until something answers HTTP there. */
async function ready(name: string, endpoint: string, child: ChildProcess): Promise<string> {
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) break;
    if (await answers(endpoint)) return endpoint;
    await sleep(200);
  }
  throw new Error(
    `${name} did not start:\n${readFileSync(join(folder, `${name}.log`), 'utf8').slice(-2000)}`,
  );
}

async function startDynamoDBLocal(): Promise<string> {
  const lib = join(installDynamoDBLocal(), 'lib');
  const port = await freePort();
  const main = join(import.meta.dirname, 'LoopbackDynamoDB.java');
  const java = [`-Djava.library.path=${lib}`, '-cp', join(lib, '*'), main];
  const args = [...java, '-disableTelemetry', '-sharedDb', '-inMemory', '-port', String(port)];
  const child = start('dynamodb-local', 'java', args, { DDB_LOCAL_TELEMETRY: '0' });
  return ready('dynamodb-local', `http://127.0.0.1:${port}`, child);
}

async function startMiniStack(
  name: string,
  scheme: 'http' | 'https',
  more: Readonly<Record<string, string>>,
): Promise<string> {
  const port = String(await freePort());
  const child = start(name, join(installMiniStack(), 'bin/ministack'), [], {
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: port,
    MINISTACK_HOST: '127.0.0.1',
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    LOG_LEVEL: 'WARNING',
    ...more,
  });
  return ready(name, `${scheme}://127.0.0.1:${port}`, child);
}

/**
 * A second one, for the deployment: it proves signatures and evaluates the roles' policies. TLS, since the CDK's
 * staging bucket refuses anything else.
 * @returns where it is, and the certificate that it made: what trusts it must be told when it starts
 */
async function startGuardedMiniStack(): Promise<Readonly<Record<string, string>>> {
  const guarded = { AUTH: 'true', USE_SSL: '1', TMPDIR: folder };
  const endpoint = await startMiniStack('guarded-ministack', 'https', guarded);
  const certificate = join(folder, 'ministack-tls/server.crt');
  return { FM_TEST_GUARDED_MINISTACK: endpoint, NODE_EXTRA_CA_CERTS: certificate };
}

async function startMoto(): Promise<string> {
  const port = String(await freePort());
  const child = start('moto', join(installMoto(), 'bin/moto_server'), ['-H', '127.0.0.1', '-p', port], {});
  return ready('moto', `http://127.0.0.1:${port}`, child);
}

async function stopAll(): Promise<void> {
  for (const child of started) {
    if (child.exitCode !== null || child.pid === undefined) continue;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(5000).then(() => child.kill('SIGKILL'))]);
  }
}

function runTests(endpoints: Readonly<Record<string, string>>): { passed: number; failed: number } {
  const report = join(folder, 'report.json');
  const args = ['vitest', 'run', '--config', 'vitest.aws.config.ts', ...process.argv.slice(2)];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const root = join(import.meta.dirname, '../..');
  const { status } = spawnSync('npx', [...args, ...reporters], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...endpoints },
  });
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const counts = z.object({ numPassedTests: z.number(), numFailedTests: z.number() });
  const ran: unknown = JSON.parse(readFileSync(report, 'utf8'));
  const { numPassedTests, numFailedTests } = counts.parse(ran);
  // Some of the tests alone are asked for while one works on them.
  const missing = process.argv.length > 2 ? 0 : tellMissingProofs(ran, ['test/aws']);
  // A file that does not load fails no test, and is a failure.
  return {
    passed: numPassedTests,
    failed: numFailedTests === 0 && status !== 0 ? 1 : numFailedTests + missing,
  };
}

let counts = { passed: 0, failed: 1 };
try {
  counts = runTests({
    FM_TEST_DYNAMODB: await startDynamoDBLocal(),
    FM_TEST_MINISTACK: await startMiniStack('ministack', 'http', {}),
    FM_TEST_MOTO: await startMoto(),
    ...(await startGuardedMiniStack()),
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
