import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Embedded, fill } from './embedded.ts';
import { type Figures, median } from './figures.ts';
import { type Ask, load, run } from './load.ts';
import { nameOf } from './store.ts';

export const RESOLVE = 'growth: one reference, 1 connection, p50';
export const LIST = 'growth: a page of 100 of the list, p50';
export const RESTART = 'restart to the first value';
export const AUDIT = 'growth: audit of one secret, newest 20, p50';
const SIZES = [1000, 100_000, 1_000_000];
const RECORDS = [10_000, 100_000, 1_000_000];
const REAL = 1000;
const ROUNDS = 3;
const once = { connections: 1, seconds: 2 };

/** How resolve, list and start grow with the number of secrets. */
export async function measureSecretGrowth(figures: Figures, folder: string): Promise<void> {
  const servers: { size: number; server: Embedded; reads: Ask[] }[] = [];
  for (const size of SIZES) {
    const every = size / REAL;
    const dataDir = join(folder, `secrets-${size}`);
    const keys = await fill(dataDir, REAL, every);
    widen(join(dataDir, 'store.db'), size);
    const server = await Embedded.start(dataDir, folder, keys);
    await server.settle();
    const reads = Array.from({ length: REAL }, (_, at) => {
      const config = `{{secrets.${nameOf(((at * 7919) % REAL) * every)}}}`;
      const body = JSON.stringify({ environment: 'production', config });
      return { method: 'POST', path: '/api/v1/resolve', body };
    });
    await load(folder, server.url(), server.headers, reads, { connections: 16, seconds: 3 });
    servers.push({ size, server, reads });
  }
  const page = [{ method: 'GET', path: '/api/v1/secrets?limit=100' }];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { size, server, reads } of servers) {
      await server.settle();
      const name = `${size.toLocaleString('en')} secrets`;
      figures.add(RESOLVE, name, 'ms', (await load(folder, server.url(), server.headers, reads, once)).p50);
      const listed = await load(folder, server.url(), server.writeHeaders, page, once);
      figures.add(LIST, name, 'ms', listed.p50);
    }
  }
  const largest = servers.at(-1);
  for (let round = 0; largest !== undefined && round < ROUNDS; round += 1) {
    const name = `${largest.server.name}, ${largest.size.toLocaleString('en')} secrets`;
    figures.add(RESTART, name, 'ms', await largest.server.restart());
  }
  for (const { server } of servers) await server.stop();
}

/**
 * Copies a row until the table has so many. The copies stand between the real ones, are as large, and open for
 * nobody: they are there to be stepped over.
 */
function widen(path: string, size: number): void {
  const db = new DatabaseSync(path);
  const columns = (db.prepare('PRAGMA table_info(secrets)').all() as { name: string }[]).map(
    ({ name }) => name,
  );
  const copied = columns.map((name) => (name === 'key' ? "printf('s%07d#org#production#', n)" : name));
  db.exec(`PRAGMA synchronous = OFF; INSERT OR IGNORE INTO secrets (${columns.join(', ')})
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${size - 1})
    SELECT ${copied.join(', ')} FROM numbers CROSS JOIN (SELECT * FROM secrets LIMIT 1)`);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}

/** How an audit query grows with the number of records. */
export async function measureAuditGrowth(figures: Figures, folder: string): Promise<void> {
  const servers: { count: number; server: Embedded }[] = [];
  for (const count of RECORDS) {
    const dataDir = join(folder, `audit-${count}`);
    mkdirSync(dataDir, { recursive: true });
    const keys = await fill(dataDir, 10);
    const script = join(import.meta.dirname, 'seed-audit.ts');
    await run(process.execPath, [script, String(count)], { ...process.env, FM_DATA_DIR: dataDir });
    const server = await Embedded.start(dataDir, folder, keys);
    await server.settle();
    servers.push({ count, server });
  }
  const query = Array.from({ length: 500 }, (_, at) => ({
    method: 'GET',
    path: `/api/v1/secrets/audit?secret_name=${nameOf(at)}&days=90&limit=20`,
  }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { count, server } of servers) {
      const name = `${count.toLocaleString('en')} records`;
      const { p50 } = await load(folder, server.url(), server.writeHeaders, query, once);
      figures.add(AUDIT, name, 'ms', p50);
    }
  }
  for (const { server } of servers) await server.stop();
}

/** The exponent by which a work grows: 0 when it does not, 1 when it grows as the store does. */
export function slope(figures: Figures, work: string): number {
  const points = figures.ofWork(work).map(({ contender, values }) => {
    const size = Number(contender.split(' ')[0]?.replaceAll(',', ''));
    return [Math.log10(size), Math.log10(median(values))] as const;
  });
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const x = mean(points.map(([at]) => at));
  const y = mean(points.map(([, value]) => value));
  const rise = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0);
  return rise / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
}
