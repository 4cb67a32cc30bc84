import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runFm } from '../../testkit/cli.ts';
import { environmentOf, eventually, startServer } from '../../testkit/server.ts';

const COUNT = 300;
const KILLS = 3;

test('an import that is killed anywhere ends complete when it is repeated, and writes nothing twice', async () => {
  await using server = await startServer();
  const folder = mkdtempSync(join(tmpdir(), 'fm-import-'));
  const file = join(folder, 'all.json');
  const values = Object.fromEntries(
    Array.from({ length: COUNT }, (_, at) => [`key_${at}`, `value of ${at} "$(x)"`]),
  );
  writeFileSync(file, JSON.stringify(values));
  const settings = { FM_API_URL: server.url, FM_API_KEY: server.adminKey };
  const args = ['secrets', 'import', file, '--from', 'json', '--env', 'staging', '--apply'];
  const stored = async () =>
    (await server.call('GET', '/api/v1/secrets?limit=1000')).body as { name: string; version: number }[];
  const counts: number[] = [];
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const running = spawn(process.execPath, ['cli/fm.cjs', ...args], {
      env: environmentOf({ XDG_CONFIG_HOME: '/nonexistent', ...settings }),
      stdio: 'ignore',
    });
    const ended = new Promise<string | null>((resolve) =>
      running.once('close', (_, signal) => resolve(signal)),
    );
    const before = counts.at(-1) ?? 0;
    await eventually(async () => (await stored()).length >= before + 10, 60);
    running.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    counts.push((await stored()).length);
  }
  // It was in the middle each time.
  expect(counts.every((count) => count > 0 && count < COUNT)).toBe(true);
  // What the last one sent may still be on its way: it is done, or it is not.
  const rest = await runFm(args, settings);
  expect(rest).toMatchObject({ code: 0, stderr: '' });
  expect(rest.stdout).toMatch(/^Imported: (same \d+, create \d+|create \d+, same \d+)\.\n$/);
  const all = await stored();
  expect(all.map(({ name }) => name).sort()).toEqual(Object.keys(values).sort());
  expect(new Set(all.map(({ version }) => version))).toEqual(new Set([1]));
  expect((await runFm(args, settings)).stdout).toBe(`Imported: same ${COUNT}.\n`);
  const made = await server.call('POST', '/api/v1/api-keys', { name: 'r', role: 'runtime' });
  const config = ['key_0', `key_${COUNT / 2}`, `key_${COUNT - 1}`];
  const references = config.map((name) => `{{secrets.${name}}}`);
  const body = { config: references, environment: 'staging' };
  const resolved = await server.call('POST', '/api/v1/resolve', body, made.body.api_key);
  expect(resolved.body.config).toEqual(config.map((name) => values[name]));
  rmSync(folder, { recursive: true });
});
