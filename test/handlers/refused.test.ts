import { beforeAll, describe, expect, test } from 'vitest';
import { generateApiKey } from '../../shared/access/api-key.ts';
import { call, eventsOf, newKeyWithId, newOrganization, newRun, services } from '../testkit/api.ts';

let admin = '';

beforeAll(async () => {
  admin = await newOrganization('acme');
});

/** Sends a credential, and gives what it left behind. */
async function attempt(as: string) {
  const reply = await call('list-secrets', { as });
  expect(reply.status).toBe(401);
  return eventsOf(reply);
}

const denied = (key_id: string, reason: string, more: object = {}) => [
  expect.objectContaining({
    org: 'acme',
    action: 'denied',
    outcome: 'denied',
    attempted: 'authenticate',
    api_key_id: key_id,
    ip_address: '127.0.0.1',
    reason,
    ...more,
  }),
];

describe('a credential of a known key that is refused leaves a record', () => {
  test('a wrong key under a known id', async () => {
    const { id } = await newKeyWithId(admin, { role: 'viewer' });
    // A whole key with another key's id: its checksum must be right for it to be looked up.
    const { apiKeyIdOf } = await import('../../shared/access/api-key.ts');
    const { crc32 } = await import('node:zlib');
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    const body = `${id}_${'0'.repeat(33)}`;
    let rest = crc32(body);
    let checksum = '';
    for (let i = 0; i < 6; i++, rest = Math.floor(rest / 62)) checksum = alphabet[rest % 62] + checksum;
    const forged = `fmk_${body}${checksum}`;
    expect(apiKeyIdOf(forged)).toBe(id);
    expect(await attempt(forged)).toEqual(denied(id, 'The key is not the one of this id'));
  });

  test('a revoked key, and a run that it started', async () => {
    const { id, api_key } = await newKeyWithId(admin, { role: 'runtime' });
    const { run_id, run_token } = await newRun(api_key, { pipeline_id: 'p', environment: 'staging' });
    await call('revoke-api-key', { as: admin, params: { id } });
    expect(await attempt(api_key)).toEqual(denied(id, 'The key is revoked'));
    expect(await attempt(run_token)).toEqual(denied(id, 'The key is revoked', { run_id }));
  });

  test('a run that has ended', async () => {
    const { id, api_key } = await newKeyWithId(admin, { role: 'runtime' });
    const { run_id, run_token } = await newRun(api_key, { pipeline_id: 'p', environment: 'staging' });
    await call('end-run', { as: api_key, params: { run_id } });
    expect(await attempt(run_token)).toEqual(denied(id, 'The run has ended', { run_id }));
  });

  test('a key whose record was changed', async () => {
    const { id, api_key } = await newKeyWithId(admin, { role: 'viewer' });
    services.database.run(
      `UPDATE api_keys SET record = json_set(record, '$.role', 'admin') WHERE id = ?`,
      id,
    );
    expect(await attempt(api_key)).toEqual(denied(id, 'The record of the key was changed'));
  });
});

test('a credential that nobody knows leaves none: there is no organization to tell', async () => {
  for (const unknown of [generateApiKey().key, 'fmr_e30.AAAA', 'something', 'fmk_']) {
    expect(await attempt(unknown)).toEqual([]);
  }
});
