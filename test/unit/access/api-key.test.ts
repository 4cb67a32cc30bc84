import { describe, expect, it } from 'vitest';
import {
  type ApiKeyRecord,
  apiKeyIdOf,
  apiKeyMessage,
  generateApiKey,
  hashApiKey,
  matchesHash,
} from '../../../shared/access/api-key.ts';
import { apiKeyId, environmentName, organizationId, pipelineId } from '../../../shared/contract/ids.ts';

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

describe('an API key', () => {
  it('has the shape that secret scanners look for, and its id within', () => {
    const { id, key } = generateApiKey();
    expect(/^fmk_[0-9A-Za-z]{16}_[0-9A-Za-z]{39}$/.test(key)).toBe(true);
    expect(apiKeyIdOf(key)).toBe(id);
    expect(key.slice(4, 20)).toBe(id);
  });

  it('is another one each time, in its id and in its secret', () => {
    const keys = Array.from({ length: 500 }, generateApiKey);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(keys.length);
    expect(new Set(keys.map(({ key }) => key.slice(21, 54))).size).toBe(keys.length);
  });

  it('uses every letter in every place of its secret', () => {
    const seen = Array.from({ length: 33 }, () => new Set<string>());
    // Missing one of 62 letters in one of 33 places by chance: less than once in 10^11.
    for (let i = 0; i < 2000; i++) {
      const secret = generateApiKey().key.slice(21, 54);
      seen.forEach((letters, place) => {
        letters.add(secret.charAt(place));
      });
    }
    expect(seen.map(({ size }) => size)).toEqual(Array.from({ length: 33 }, () => LETTERS.length));
  });

  it('is recognised when a character of it is mistyped', () => {
    const accepted: string[] = [];
    for (let round = 0; round < 5; round++) {
      const { key } = generateApiKey();
      for (let place = 0; place < key.length; place++) {
        for (const typo of `${LETTERS}_-. `) {
          if (typo === key[place]) continue;
          if (apiKeyIdOf(key.slice(0, place) + typo + key.slice(place + 1)) !== null)
            accepted.push(`${typo} at ${place}`);
        }
      }
    }
    expect(accepted).toEqual([]);
  });

  it('is recognised when two neighbours change places', () => {
    const accepted: number[] = [];
    for (let round = 0; round < 50; round++) {
      const { key } = generateApiKey();
      for (let place = 0; place + 1 < key.length; place++) {
        const [a = '', b = ''] = [key[place], key[place + 1]];
        if (a !== b && apiKeyIdOf(key.slice(0, place) + b + a + key.slice(place + 2)) !== null)
          accepted.push(place);
      }
    }
    expect(accepted).toEqual([]);
  });

  it.each([
    ['cut short', (key: string) => key.slice(0, -1)],
    ['cut at its front', (key: string) => key.slice(1)],
    ['longer', (key: string) => `${key}0`],
    ['with a line break behind it', (key: string) => `${key}\n`],
    ['with a space before it', (key: string) => ` ${key}`],
    ['of other case', (key: string) => key.toLowerCase()],
    ['without its prefix', (key: string) => key.slice('fmk_'.length)],
    ['of another prefix', (key: string) => key.replace('fmk_', 'fmr_')],
    ['nothing', () => ''],
  ])('%s is none', (_what, change) => {
    expect(apiKeyIdOf(change(generateApiKey().key))).toBeNull();
  });

  it('has the checksum that other programs compute: CRC-32 of what stands before it, in base 62', () => {
    const body = '0123456789abcdef_000000000000000000000000000000000';
    // Python's zlib.crc32 says 1895530950 for it.
    expect(apiKeyIdOf(`fmk_${body}24HSBq`)).toBe('0123456789abcdef');
  });
});

describe('matchesHash', () => {
  const { key } = generateApiKey();

  it.each([
    { what: 'the key itself', kept: hashApiKey(key), matches: true },
    { what: 'another key', kept: hashApiKey(generateApiKey().key), matches: false },
    { what: 'a part of the hash', kept: hashApiKey(key).slice(0, 62), matches: false },
    { what: 'no hash', kept: '', matches: false },
    { what: 'what is no hash', kept: 'zz', matches: false },
  ])('$what: $matches', ({ kept, matches }) => {
    expect(matchesHash(key, kept)).toBe(matches);
  });

  it('keeps SHA-256, from which the key does not come back', () => {
    expect(hashApiKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('apiKeyMessage', () => {
  const record: Omit<ApiKeyRecord, 'signature'> = {
    id: apiKeyId.parse('Key0000000000001'),
    org: organizationId.parse('acme'),
    name: 'ci',
    role: 'viewer',
    subject: 'ci@example.com',
    pipelines: [pipelineId.parse('p1'), pipelineId.parse('p2')],
    environments: [environmentName.parse('staging')],
    created_at: '2026-01-31T12:00:00.000Z',
    created_by: 'ada@example.com',
    expires_at: '2027-01-31T12:00:00.000Z',
    key_hash: hashApiKey('a key'),
  };
  const changes: { readonly [Field in keyof typeof record]: readonly unknown[] } = {
    id: ['Key0000000000002'],
    org: ['rival'],
    name: ['CI', 'ci '],
    role: ['admin', 'runtime'],
    subject: [null, '', 'eve@example.com'],
    pipelines: [null, [], ['p1'], ['p2', 'p1'], ['p1', 'p2', 'p3'], ['p1,p2']],
    environments: [null, [], ['production'], ['staging', 'production']],
    created_at: ['2026-01-31T12:00:00.001Z'],
    created_by: ['eve@example.com'],
    expires_at: [null, '2028-01-31T12:00:00.000Z'],
    key_hash: [hashApiKey('another key')],
  };

  it.each(Object.entries(changes).flatMap(([field, values]) => values.map((value) => ({ field, value }))))(
    'says $field: it is other bytes when that becomes $value',
    ({ field, value }) => {
      const changed = apiKeyMessage({ ...record, [field]: value });
      expect(changed.equals(apiKeyMessage(record))).toBe(false);
    },
  );

  it('says the same of the same key, in whatever order its fields come', () => {
    const reversed = Object.fromEntries(Object.entries(record).reverse()) as typeof record;
    expect(apiKeyMessage(reversed)).toEqual(apiKeyMessage(record));
  });

  it('leaves out what happens to a key later', () => {
    const later = { ...record, last_used_at: '2026-02-01T00:00:00Z', revoked_at: null };
    expect(apiKeyMessage(later)).toEqual(apiKeyMessage(record));
  });
});
