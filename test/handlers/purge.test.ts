import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { call, newOrganization, services } from '../testkit/api.ts';

test('what is removed for good is overwritten in the file, envelopes of old versions too', async () => {
  const admin = await newOrganization('acme');
  const value = 'x'.repeat(60_000);
  await call('create-secret', { as: admin, body: { name: 'gone', value } });
  await call('rotate-secret', { as: admin, params: { name: 'gone' }, body: { new_value: 'short' } });
  const { database, dataDir } = services;
  const rows = database.all<{ sealed: Uint8Array }>(
    'SELECT sealed FROM versions UNION ALL SELECT sealed FROM secrets',
  );
  // From the middle, since a long envelope lies on several pages.
  const pieces = rows.map(({ sealed }) => Buffer.from(sealed).subarray(-40));
  const file = () => {
    database.all('PRAGMA wal_checkpoint(TRUNCATE)');
    return readFileSync(join(dataDir, 'store.db'));
  };
  expect(pieces).toHaveLength(3);
  for (const piece of pieces) expect(file().includes(piece)).toBe(true);
  const query = { recovery_days: '0' };
  expect((await call('delete-secret', { as: admin, params: { name: 'gone' }, query })).status).toBe(204);
  for (const piece of pieces) expect(file().includes(piece)).toBe(false);
});
