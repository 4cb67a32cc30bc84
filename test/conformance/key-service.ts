import { verify } from 'node:crypto';
import { beforeAll, describe, expect } from 'vitest';
import { environmentName } from '../../shared/contract/ids.ts';
import type { EncryptionContext, KeyService } from '../../shared/envelope/key-service.ts';
import { signedBytes } from '../../shared/envelope/signature.ts';
import { codeOfRejection } from '../testkit/failure.ts';
import { faultyTest, type KnownFaults } from './known-faults.ts';
import { acme, acmeTwo } from './samples.ts';

const production = environmentName.parse('production');
const CONTEXT: EncryptionContext = { org: acme, environment: production, data_key: 'dk-1' };
const OTHERS: Readonly<Record<string, EncryptionContext>> = {
  'another organization': { ...CONTEXT, org: acmeTwo },
  'another environment': { ...CONTEXT, environment: environmentName.parse('staging') },
  'no environment': { ...CONTEXT, environment: null },
  'another data key': { ...CONTEXT, data_key: 'dk-2' },
};

/** Two roots that do not know each other's keys. */
export type MakeKeyServices = () => Promise<{
  readonly keys: KeyService;
  /** Names no recovery key. */
  readonly otherKeys: KeyService;
  /** What only whoever has the recovery key of `keys` can do. */
  readonly openRecovery: (recovery: Uint8Array, context: EncryptionContext) => Promise<Buffer>;
}>;

/**
 * KeyService.
 * @param faults of the thing behind the port
 */
export function keyServiceSuite(make: MakeKeyServices, faults: KnownFaults = {}): void {
  const it = faultyTest(faults);
  let keys: KeyService;
  let otherKeys: KeyService;
  let openRecovery: Awaited<ReturnType<MakeKeyServices>>['openRecovery'];

  beforeAll(async () => {
    ({ keys, otherKeys, openRecovery } = await make());
  });

  describe('KeyService: data keys', () => {
    it('makes a new key of 32 bytes each time, and unwraps it', async () => {
      const made = await Promise.all(Array.from({ length: 20 }, () => keys.generateDataKey(CONTEXT)));
      for (const { plaintext, wrapped } of made) {
        expect(plaintext).toHaveLength(32);
        expect(Buffer.from(wrapped).includes(plaintext)).toBe(false);
        expect((await keys.unwrapDataKey(wrapped, CONTEXT)).equals(plaintext)).toBe(true);
      }
      expect(new Set(made.map(({ plaintext }) => plaintext.toString('hex'))).size).toBe(20);
      expect(new Set(made.map(({ wrapped }) => Buffer.from(wrapped).toString('hex'))).size).toBe(20);
    });

    it('wraps a key that was made elsewhere, for its context alone', async () => {
      const { plaintext } = await otherKeys.generateDataKey(CONTEXT);
      const { wrapped, recovery } = await keys.wrapDataKey(plaintext, CONTEXT);
      expect((await keys.unwrapDataKey(wrapped, CONTEXT)).equals(plaintext)).toBe(true);
      expect((await openRecovery(recovery ?? Buffer.alloc(0), CONTEXT)).equals(plaintext)).toBe(true);
      for (const context of Object.values(OTHERS)) {
        expect(await codeOfRejection(keys.unwrapDataKey(wrapped, context))).toBe('decryption_failed');
      }
    });

    it('unwraps without an environment what was wrapped without', async () => {
      const context = { ...CONTEXT, environment: null };
      const { plaintext, wrapped } = await keys.generateDataKey(context);
      expect((await keys.unwrapDataKey(wrapped, context)).equals(plaintext)).toBe(true);
      expect(await codeOfRejection(keys.unwrapDataKey(wrapped, CONTEXT))).toBe('decryption_failed');
    });

    for (const [what, other] of Object.entries(OTHERS)) {
      it(`unwraps nothing for ${what}`, async () => {
        const { wrapped } = await keys.generateDataKey(CONTEXT);
        expect(await codeOfRejection(keys.unwrapDataKey(wrapped, other))).toBe('decryption_failed');
      });
    }

    it('unwraps nothing that was changed in any byte', async () => {
      const { wrapped } = await keys.generateDataKey(CONTEXT);
      const codes = new Set<string>();
      for (let index = 0; index < wrapped.length; index++) {
        const changed = Buffer.from(wrapped);
        changed[index] = (changed[index] ?? 0) ^ 1;
        codes.add(await codeOfRejection(keys.unwrapDataKey(changed, CONTEXT)));
      }
      expect([...codes]).toEqual(['decryption_failed']);
    });

    it('unwraps nothing that was cut or lengthened', async () => {
      const { wrapped } = await keys.generateDataKey(CONTEXT);
      const whole = Buffer.from(wrapped);
      for (const bytes of [
        whole.subarray(0, -1),
        whole.subarray(1),
        Buffer.concat([whole, Buffer.of(0)]),
        Buffer.of(1),
      ])
        expect(await codeOfRejection(keys.unwrapDataKey(bytes, CONTEXT))).toBe('decryption_failed');
    });

    it('unwraps nothing that another root wrapped', async () => {
      const { wrapped } = await otherKeys.generateDataKey(CONTEXT);
      expect(await codeOfRejection(keys.unwrapDataKey(wrapped, CONTEXT))).toBe('decryption_failed');
    });
  });

  describe('KeyService: recovery', () => {
    it('wraps each data key once more, for the recovery key and the same context', async () => {
      const { plaintext, wrapped, recovery } = await keys.generateDataKey(CONTEXT);
      const bytes = Buffer.from(recovery ?? []);
      expect(bytes.includes(plaintext)).toBe(false);
      expect(bytes.equals(wrapped)).toBe(false);
      expect((await openRecovery(bytes, CONTEXT)).equals(plaintext)).toBe(true);
      for (const other of Object.values(OTHERS))
        expect(await codeOfRejection(openRecovery(bytes, other))).toBe('decryption_failed');
    });

    it('opens nothing of it by itself', async () => {
      const { recovery } = await keys.generateDataKey(CONTEXT);
      expect(await codeOfRejection(keys.unwrapDataKey(recovery ?? Buffer.of(), CONTEXT))).toBe(
        'decryption_failed',
      );
    });

    it('says so when no recovery key is named', async () => {
      expect((await otherKeys.generateDataKey(CONTEXT)).recovery).toBe(null);
    });
  });

  describe('KeyService: codes', () => {
    const message = Buffer.from('a message');

    it('are 32 bytes, the same for the same message, others for any other', async () => {
      const code = await keys.mac('fingerprint', message);
      expect(code).toHaveLength(32);
      expect(await keys.mac('fingerprint', Buffer.from(message))).toEqual(code);
      for (const other of [Buffer.from('a messagf'), Buffer.alloc(0), Buffer.alloc(4000, 7)])
        expect((await keys.mac('fingerprint', other)).equals(code)).toBe(false);
    });

    it('are another key service’s own', async () => {
      const [mine, theirs] = [
        await keys.mac('fingerprint', message),
        await otherKeys.mac('fingerprint', message),
      ];
      expect(mine.equals(theirs)).toBe(false);
    });
  });

  describe('KeyService: signatures', () => {
    it('are ECDSA P-256 over the purpose and the message, of any size', async () => {
      const key = await keys.publicKey();
      expect(key.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
      for (const message of [Buffer.alloc(0), Buffer.from('message'), Buffer.alloc(10_000, 7)]) {
        const signature = await keys.sign('run-token', message);
        expect(verify('sha256', signedBytes('run-token', message), key, signature)).toBe(true);
        expect(verify('sha256', signedBytes('api-key', message), key, signature)).toBe(false);
        expect(verify('sha256', message, key, signature)).toBe(false);
      }
    });

    it('verify under one public key while the process runs, and under no other root’s', async () => {
      const message = Buffer.from('message');
      const signature = await keys.sign('checkpoint', message);
      const [one, two, other] = [await keys.publicKey(), await keys.publicKey(), await otherKeys.publicKey()];
      expect(one.equals(two)).toBe(true);
      expect(verify('sha256', signedBytes('checkpoint', message), other, signature)).toBe(false);
    });
  });
}
