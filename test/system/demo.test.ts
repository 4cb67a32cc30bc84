import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('the demo tells its story, prints no credential and leaves nothing behind', () => {
  const TMPDIR = mkdtempSync(join(tmpdir(), 'fm-demo-test-'));
  const env = { ...process.env, TMPDIR };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['examples/demo.ts'], {
    encoding: 'utf8',
    env,
  });
  const leftBehind = readdirSync(TMPDIR);
  rmSync(TMPDIR, { recursive: true });

  expect(stderr).toBe('');
  expect(status).toBe(0);
  const chapters = stdout.match(/^\d\. .*$/gm)?.map((line) => line.slice(3).split(/[.?]/)[0]);
  expect(chapters).toEqual([
    'Store what the pipeline needs',
    'A runtime key for the orchestrator, a token for each run',
    'One config, two environments',
    'A run token goes no further than its run',
    'Rotate',
    'Who used it',
  ]);
  expect(stdout).toContain('"api_key": "sk-****…"');
  expect(stdout).toContain('"database_url": "postgres://dev:****…"');
  expect(stdout).toContain('"database_url": "postgres://prod:****…"');
  expect(stdout).toContain('one unbroken chain');

  // Made-up values end in 32 hexadecimal digits; keys and run tokens begin with fmk_ and fmr_.
  expect(stdout).not.toMatch(/[0-9a-f]{8}(?!-)[0-9a-f]{8}/);
  expect(stdout).not.toMatch(/fm[kr]_/);
  expect(leftBehind).toEqual([]);
});
