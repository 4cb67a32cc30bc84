import { beforeAll, expect, test } from 'vitest';
import { call, jsonOf, newKey, newOrganization } from '../testkit/api.ts';

let runtime = '';
beforeAll(async () => {
  const admin = await newOrganization('acme');
  runtime = await newKey(admin, { role: 'runtime' });
  const value = JSON.stringify({
    good: { A: 'x' },
    bad: { A: ['a\r\nX-Evil: 1'] },
    key: { 'a\nb': 1 },
    text: 'a\0',
  });
  await call('create-secret', { as: admin, body: { name: 'j', value } });
});

const resolve = (config: unknown) =>
  call('resolve-config', { as: runtime, body: { config, environment: 'staging' } });

test.each(['bad', 'key', 'text'])('a line break within %s does not get into the headers', async (field) => {
  expect(jsonOf(await resolve({ headers: `{{secrets.j.${field}}}` }))['code']).toBe('unresolved_references');
  expect((await resolve({ body: `{{secrets.j.${field}}}` })).status).toBe(200);
});

test('an object without one does', async () => {
  expect((await resolve({ headers: '{{secrets.j.good}}' })).status).toBe(200);
});
