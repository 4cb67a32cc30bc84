import { beforeAll, expect, test } from 'vitest';
import { call, eventsOf, jsonOf, newOrganization } from '../testkit/api.ts';

let admin = '';
beforeAll(async () => {
  admin = await newOrganization('acme');
});

test('reads of metadata are recorded until the organization turns that off, and then what matters still is', async () => {
  expect(jsonOf(await call('describe-organization', { as: admin }))).toMatchObject({
    id: 'acme',
    record_reads: true,
  });
  expect(eventsOf(await call('list-secrets', { as: admin }))).toEqual([
    expect.objectContaining({ action: 'list' }),
  ]);

  const off = await call('update-organization', { as: admin, body: { record_reads: false } });
  expect(jsonOf(off)['record_reads']).toBe(false);
  expect(eventsOf(off)).toEqual([
    expect.objectContaining({ action: 'update_organization', reason: 'Reads of metadata are not recorded' }),
  ]);
  for (const route of ['list-secrets', 'query-audit', 'verify-audit', 'list-api-keys']) {
    expect(eventsOf(await call(route, { as: admin })), route).toEqual([]);
  }
  const created = await call('create-secret', { as: admin, body: { name: 'a', value: 'v' } });
  expect(eventsOf(created)).toHaveLength(1);

  const kept = await call('update-organization', { as: admin, body: {} });
  expect(jsonOf(kept)['record_reads']).toBe(false);
  await call('update-organization', { as: admin, body: { record_reads: true } });
  expect(eventsOf(await call('list-secrets', { as: admin }))).toHaveLength(1);
});
