import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSettings } from '../../../infra/aws/settings.ts';

/** A setting for the tests alone. */
const UNDOCUMENTED = ['emulated'];

test('what `-c` can say is what docs/operations-aws.md says', () => {
  const read: string[] = [];
  readSettings({ tryGetContext: (name: string) => void read.push(name) });
  const page = readFileSync(join(import.meta.dirname, '../../../docs/operations-aws.md'), 'utf8');
  const table = /^\| `-c` \|.*\n((?:\|.*\n)+)/m.exec(page)?.[1] ?? '';
  const documented = table
    .split('\n')
    .flatMap((line) => (line.split('|')[1] ?? '').match(/(?<=`)\w+(?=`)/g) ?? []);
  expect(documented.sort()).toEqual(read.filter((name) => !UNDOCUMENTED.includes(name)).sort());
});

test('a setting that is wrong is named, and stops the synthesis', () => {
  const wrong = { tryGetContext: (name: string) => (name === 'checkpointDays' ? 0 : undefined) };
  expect(() => readSettings(wrong)).toThrow(/checkpointDays/);
  const half = {
    tryGetContext: (name: string) => (name === 'domainName' ? 'secrets.example.com' : undefined),
  };
  expect(() => readSettings(half)).toThrow(/domainName and certificateArn go together/);
});
