import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, it } from 'vitest';
import { routes } from '../../functions/routes.ts';

const folder = join(import.meta.dirname, '../../functions/api');
const files = readdirSync(folder).sort();

describe('functions/api', () => {
  it('holds one file for each row of the routes table, and nothing else', () => {
    expect(files).toEqual(routes.map(({ name }) => `${name}.ts`).sort());
  });

  it.each(files)('%s exports its handler and nothing else', (file) => {
    const { module } = parseSync(file, readFileSync(join(folder, file), 'utf8'));
    const names = module.staticExports.flatMap(({ entries }) =>
      entries.map((entry) => entry.exportName.name),
    );
    expect(names).toEqual(['handler']);
  });

  it.each(files)('%s is a composition of at most 30 lines, not a place for logic', (file) => {
    const { length } = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
    expect(length).toBeLessThanOrEqual(30);
  });
});
