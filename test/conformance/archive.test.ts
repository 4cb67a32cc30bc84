import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { EmbeddedArchive } from '../../shared/embedded/archive.ts';
import { CheckpointFolder } from '../../shared/embedded/checkpoint-store.ts';
import { Database } from '../../shared/embedded/database.ts';

const folder = mkdtempSync(join(tmpdir(), 'fm-archive-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What no backup needs: it is made again, or only of use for minutes. */
const LEFT_OUT = ['audit_blocks', 'replays', 'tending'];

test('every table of the store is in the archive, or left out on purpose', async () => {
  const path = join(folder, 'store.db');
  const database = new Database(path);
  const archive = new EmbeddedArchive(database, new CheckpointFolder(join(folder, 'checkpoints')));
  const read: string[] = [];
  const { snapshot } = database;
  database.snapshot = () => {
    const seen = snapshot.call(database);
    return {
      rows: (sql) => {
        read.push(...[...sql.matchAll(/FROM (\w+)/g)].map(([, table = '']) => table));
        return seen.rows(sql);
      },
      [Symbol.dispose]: () => seen[Symbol.dispose](),
    };
  };
  for await (const _row of archive.rows());
  const tables = new DatabaseSync(path)
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
    .map(({ name }) => String(name));
  database.close();
  expect(tables.filter((table) => !read.includes(table) && !LEFT_OUT.includes(table))).toEqual([]);
});
