import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runFm } from '../../testkit/cli.ts';
import { newDataDir, startServer } from '../../testkit/server.ts';

/** Whatever asks for the time in this process gets that of ten days ago. */
const tenDaysAgo = `const days = 10 * 24 * 60 * 60 * 1000;
const now = Date.now;
globalThis.Date = class extends Date {
  constructor(...given) { given.length === 0 ? super(now() - days) : super(...given); }
  static now() { return now() - days; }
};`;

test('a reference that is due is served and warned of; --strict ends with 6', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fm-due-'));
  writeFileSync(join(folder, 'clock.mjs'), tenDaysAgo);
  const dataDir = newDataDir();
  const before = await startServer(dataDir, { NODE_OPTIONS: `--import ${join(folder, 'clock.mjs')}` });
  const body = { name: 'api_key', value: 'a-value-of-ten-days-ago', rotation_days: 5 };
  expect((await before.call('POST', '/api/v1/secrets', body)).status).toBe(201);
  expect(await before.stop('SIGTERM')).toBe(0);
  await using server = await startServer(dataDir);
  const settings = { FM_API_URL: server.url, FM_API_KEY: server.adminKey };
  const check = (...more: readonly string[]) =>
    runFm(['secrets', 'check', '-', '--env', 'production', ...more], settings, '"{{secrets.api_key}}"');
  const warning = '$: warning, due: api_key is to be rotated: fm secrets rotate api_key\n';
  expect(await check()).toEqual({
    code: 0,
    stdout: `${warning}1 reference, every one is served.\n`,
    stderr: '',
  });
  expect(await check('--strict')).toEqual({
    code: 6,
    stdout: warning,
    stderr: 'fm: Not every reference is proven. There are warnings.\n',
  });
  const due = await runFm(['secrets', 'due'], settings);
  expect(due.stdout).toMatch(/^api_key +5 days late /m);
  rmSync(folder, { recursive: true });
});
