import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { organizationId } from '../../../shared/contract/ids.ts';
import { fingerprint, macBytes } from '../../../shared/envelope/fingerprint.ts';
import type { MacPurpose } from '../../../shared/envelope/key-service.ts';

const hex = z.string().transform((text) => Buffer.from(text, 'hex'));
const { fingerprint: vectors } = z
  .object({
    fingerprint: z.array(
      z.object({
        what: z.string(),
        mac_key: hex,
        organization: organizationId,
        encoding: z.enum(['utf8', 'base64']),
        value: hex,
        fingerprint: z.string(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors/envelope.json'), 'utf8')));

/** A KeyService whose key is known. */
const keysOf = (key: Buffer) => ({
  mac: async (purpose: MacPurpose, message: Uint8Array) =>
    createHmac('sha256', key).update(macBytes(purpose, message)).digest(),
});

describe('test/vectors/envelope.json', () => {
  it.each(vectors)('is the fingerprint of $what', async (vector) => {
    const { mac_key, organization, encoding, value } = vector;
    expect(await fingerprint(keysOf(mac_key), organization, value, encoding)).toBe(vector.fingerprint);
  });

  it('has no two alike', () => {
    expect(new Set(vectors.map((vector) => vector.fingerprint)).size).toBe(vectors.length);
  });
});
