import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodingsOf, findForms } from '../testkit/encodings.ts';
import { memoryOf } from '../testkit/process-memory.ts';
import { auditSettled, newDataDir, startServer, type TestServer } from '../testkit/server.ts';
import { tally } from '../testkit/tally.ts';

// The memory of a running server: what it holds in clear before it has resolved anything, which is nothing, and what
// afterwards. That values under way are in it is said in the threat model; a scanner that never finds one would not
// show that there are none.

const dataDir = newDataDir();
const CANARIES = 2;
const canaryOf = (index: number) => `canary-${index}-${seeds[index]?.toString('hex')}`;
const seeds = Array.from({ length: CANARIES }, () => randomBytes(24));
const canaries = seeds.map((_, index) => canaryOf(index));
const description = `in clear ${randomBytes(24).toString('hex')}`;
let runtimeKey = '';

beforeAll(async () => {
  const server = await startServer(dataDir);
  for (const [index, value] of canaries.entries())
    await server.call('POST', '/api/v1/secrets', { name: `s${index}`, value, description });
  runtimeKey = (await server.call('POST', '/api/v1/api-keys', { name: 'r', role: 'runtime' })).body.api_key;
  await auditSettled(server);
  await server.stop('SIGTERM');
});
afterAll(() => rmSync(dataDir, { recursive: true }));

/** In which forms texts stand in a server's memory. */
async function formsIn(server: TestServer, texts: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const chunk of memoryOf(server.pid)) {
    tally('MB of memory searched', chunk.length / 1e6);
    for (const text of texts) for (const form of findForms(text, chunk)) found.add(form);
    await nextTurn(); // whoever holds up the loop for long loses its connections
  }
  return [...found];
}

/** Whether a text stands in a server's memory as it is. */
async function isIn(server: TestServer, text: string): Promise<boolean> {
  for (const chunk of memoryOf(server.pid)) {
    if (chunk.includes(text)) return true;
    await nextTurn();
  }
  return false;
}

// Only Linux shows a process's memory as a file.
describe.skipIf(!existsSync('/proc/self/mem'))('the memory of a server', () => {
  test('holds no value in any form as long as none was resolved, whatever else was asked', {
    timeout: 600_000,
  }, async () => {
    const server = await startServer(dataDir);
    for (const path of [
      'secrets',
      'secrets/s0',
      'secrets/s0/history',
      'secrets/audit',
      'secrets/audit/verify',
    ])
      expect((await server.call('GET', `/api/v1/${path}`)).status).toBe(200);
    const config = { config: '{{secrets.s0}}', environment: 'production' };
    expect((await server.call('POST', '/api/v1/resolve/check', config, runtimeKey)).status).toBe(200);
    await server.call('PATCH', '/api/v1/secrets/s0', { description });
    await server.call('POST', '/api/v1/secrets/s1/rollback', { version: 1 });
    await server.call('DELETE', '/api/v1/secrets/s1');
    await server.call('POST', '/api/v1/secrets/s1/restore');
    expect(await formsIn(server, canaries)).toEqual([]);
    tally('forms of values looked for', CANARIES * encodingsOf('x').size);
    // The scanner finds what is in clear, and what was resolved from now on; what was not is still in no form.
    expect(await isIn(server, description)).toBe(true);
    const answer = await server.call('POST', '/api/v1/resolve', config, runtimeKey);
    expect(answer.body.config).toBe(canaryOf(0));
    expect(await isIn(server, canaryOf(0))).toBe(true);
    expect(await isIn(server, canaryOf(1))).toBe(false);
    await server.stop('SIGTERM');
  });
});
