import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runFm } from '../../testkit/cli.ts';
import { startServer, type TestServer } from '../../testkit/server.ts';

/** A server behind TLS whose certificate nobody but its owner trusts. */

let folder: string;
let server: TestServer;
const certificate = (name: string) => join(folder, `${name}.pem`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fm-tls-'));
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'],
    ...['-keyout', join(folder, 'key.pem'), '-out', certificate('own'), '-subj', '/CN=secrets.example.com'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1'],
  ]);
  expect(made.status).toBe(0);
  server = await startServer(undefined, {
    FM_TLS_CERT: certificate('own'),
    FM_TLS_KEY: join(folder, 'key.pem'),
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const doctor = async (url: string, more: Readonly<Record<string, string>> = {}) => {
  const run = await runFm(['doctor', '--json'], { FM_API_URL: url, FM_API_KEY: server.adminKey, ...more });
  const findings = JSON.parse(run.stdout) as { check: string; state: string; detail: string }[];
  return { code: run.code, ...Object.fromEntries(findings.map((each) => [each.check, each])) };
};

test('a certificate that is trusted by NODE_EXTRA_CA_CERTS is good, and everything else is looked at', async () => {
  expect(server.url).toMatch(/^https:/);
  expect(await doctor(server.url, { NODE_EXTRA_CA_CERTS: certificate('own') })).toMatchObject({
    code: 0,
    server: { state: 'ok' },
    tls: { state: 'ok', detail: expect.stringMatching(/^TLSv1\.3; the certificate is good until 20\d\d-/) },
    credential: { state: 'ok' },
  });
});

test('one that nobody trusts is found, with what to do', async () => {
  expect(await doctor(server.url)).toMatchObject({
    code: 1,
    server: { state: 'failed' },
    tls: {
      state: 'failed',
      detail:
        'the certificate is not trusted here (DEPTH_ZERO_SELF_SIGNED_CERT); a certificate authority of your own goes into NODE_EXTRA_CA_CERTS',
    },
  });
});

test('and so is one that is for another name', async () => {
  const url = server.url.replace('127.0.0.1', 'localhost');
  expect(await doctor(url, { NODE_EXTRA_CA_CERTS: certificate('own') })).toMatchObject({
    code: 1,
    tls: { state: 'failed', detail: 'the certificate is for another name than localhost' },
  });
});

test('no command sends a key to a server that it does not trust', async () => {
  const run = await runFm(['secrets', 'list'], { FM_API_URL: server.url, FM_API_KEY: server.adminKey });
  expect(run).toMatchObject({ code: 1, stdout: '' });
  expect(run.stderr).toContain('(DEPTH_ZERO_SELF_SIGNED_CERT)\nCheck the address');
  expect(run.stderr).toContain('NODE_EXTRA_CA_CERTS');
  const trusting = {
    FM_API_URL: server.url,
    FM_API_KEY: server.adminKey,
    NODE_EXTRA_CA_CERTS: certificate('own'),
  };
  expect(await runFm(['secrets', 'list'], trusting)).toMatchObject({ code: 0 });
});
