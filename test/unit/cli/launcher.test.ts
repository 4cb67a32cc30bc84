import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');

test('an older Node is told which one is needed, and nothing else happens', () => {
  const asOlder = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } }); require('./cli/fm.cjs');`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', asOlder], {
    cwd: root,
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    /^fm: Node 24 or newer is needed, this is v[\d.]+\. From a checkout, npx fm brings its own\.\n$/,
  );
});

test('what npm ci built is there, and says the same as the source', () => {
  expect(existsSync(join(root, 'dist/fm.cjs'))).toBe(true);
  const say = (file: string) =>
    execFileSync(process.execPath, [file, 'secrets', '--help'], { cwd: root, encoding: 'utf8' });
  expect(say('cli/fm.cjs')).toBe(say('cli/all.ts'));
});
