import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto';
import { expect, test } from 'vitest';
import gcm from '../../vectors/wycheproof/aes-256-gcm.json' with { type: 'json' };
import hkdf from '../../vectors/wycheproof/hkdf-sha256.json' with { type: 'json' };

const bytes = (hex: string) => Buffer.from(hex, 'hex');

test('there are cases of every kind', () => {
  const results = (tests: readonly { result: string }[]) => new Set(tests.map(({ result }) => result));
  expect(gcm.tests.length).toBeGreaterThanOrEqual(104);
  expect(gcm.tests.filter(({ iv }) => iv.length === 24).length).toBeGreaterThanOrEqual(66);
  expect(results(gcm.tests)).toEqual(new Set(['valid', 'invalid']));
  expect(hkdf.tests.length).toBeGreaterThanOrEqual(86);
  expect(results(hkdf.tests)).toEqual(new Set(['valid', 'invalid']));
});

// As the envelope calls them: a fresh KeyObject, and a tag of 16 bytes and no other.
test.each(gcm.tests)('AES-256-GCM $tcId: $comment ($result)', ({ key, iv, aad, msg, ct, tag, result }) => {
  const open = () => {
    const decipher = createDecipheriv('aes-256-gcm', createSecretKey(bytes(key)), bytes(iv), {
      authTagLength: 16,
    });
    decipher.setAAD(bytes(aad)).setAuthTag(bytes(tag));
    return Buffer.concat([decipher.update(bytes(ct)), decipher.final()]).toString('hex');
  };
  // Refused as unauthentic, or for a nonce without bytes; not for some mistake of the test.
  if (result === 'invalid')
    return expect(open).toThrow(/unable to authenticate data|^Invalid initialization vector$/);
  expect(open()).toBe(msg);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(bytes(key)), bytes(iv), { authTagLength: 16 });
  cipher.setAAD(bytes(aad));
  expect(Buffer.concat([cipher.update(bytes(msg)), cipher.final()]).toString('hex')).toBe(ct);
  expect(cipher.getAuthTag().toString('hex')).toBe(tag);
});

test.each(hkdf.tests)('HKDF-SHA-256 $tcId: $comment ($result)', ({ ikm, salt, info, size, okm, result }) => {
  const derive = () =>
    Buffer.from(hkdfSync('sha256', createSecretKey(bytes(ikm)), bytes(salt), bytes(info), size)).toString(
      'hex',
    );
  if (result === 'invalid') return expect(derive).toThrow('Invalid key length');
  expect(derive()).toBe(okm);
});
