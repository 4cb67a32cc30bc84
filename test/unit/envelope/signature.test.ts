import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SigningPurpose } from '../../../shared/envelope/key-service.ts';
import { SignatureVerifier, signedBytes } from '../../../shared/envelope/signature.ts';
import { throwawayKeyring, WatchedKeys } from '../../testkit/key-service.ts';

const purposes: readonly SigningPurpose[] = ['api-key', 'run-token', 'checkpoint'];
const message = Buffer.from('{"role":"viewer"}');

describe('SignatureVerifier', () => {
  it.each(purposes.flatMap((made) => purposes.map((read) => ({ made, read }))))(
    'takes a signature made for $made as one for $read only when they are the same',
    async ({ made, read }) => {
      const keys = new WatchedKeys();
      const signature = await keys.sign(made, message);
      expect(await new SignatureVerifier(keys).verifies(read, message, signature)).toBe(made === read);
    },
  );

  it('refuses every bit of the message and of the signature flipped, and remembers no refusal', async () => {
    const keys = new WatchedKeys();
    const verifier = new SignatureVerifier(keys);
    const signature = Buffer.from(await keys.sign('api-key', message));
    for (const [name, bytes] of Object.entries({ message, signature })) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const given = { message, signature, [name]: changed };
        expect(await verifier.verifies('api-key', given.message, given.signature)).toBe(false);
      }
    }
    expect(await verifier.verifies('api-key', message, signature)).toBe(true);
  });

  it.each([
    { what: 'no signature', signature: Buffer.alloc(0) },
    { what: 'what is no DER', signature: Buffer.from('not a signature') },
    { what: 'a signature of zeros', signature: Buffer.from('3006020100020100', 'hex') },
  ])('refuses $what', async ({ signature }) => {
    expect(await new SignatureVerifier(new WatchedKeys()).verifies('api-key', message, signature)).toBe(
      false,
    );
  });

  it("refuses another root's signature", async () => {
    const signature = await throwawayKeyring().sign('api-key', message);
    expect(await new SignatureVerifier(new WatchedKeys()).verifies('api-key', message, signature)).toBe(
      false,
    );
  });

  it('remembers what verified, by purpose, message and signature together', async () => {
    const keys = new WatchedKeys();
    const verifier = new SignatureVerifier(keys);
    const signature = await keys.sign('api-key', message);
    for (let i = 0; i < 3; i++) expect(await verifier.verifies('api-key', message, signature)).toBe(true);
    expect(keys.publicKeyAsked).toBe(1);
    expect(await verifier.verifies('run-token', message, signature)).toBe(false);
    expect(await verifier.verifies('api-key', Buffer.from('{"role":"admin"}'), signature)).toBe(false);
    expect(keys.publicKeyAsked).toBe(3);
  });

  it('forgets all when it remembers too many, and verifies them again', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    let asked = 0;
    const verifier = new SignatureVerifier({
      publicKey: async () => {
        asked += 1;
        return publicKey;
      },
    });
    const bytes = signedBytes('api-key', message);
    const first = sign('sha256', bytes, privateKey);
    // ECDSA signs with a random number, so each of these is another signature of the same message.
    const rest = Array.from({ length: 10_000 }, () => sign('sha256', bytes, privateKey));
    for (const signature of [first, ...rest]) await verifier.verifies('api-key', message, signature);
    expect(asked).toBe(10_001);
    const last = rest.at(-1) ?? first;
    expect(await verifier.verifies('api-key', message, last)).toBe(true);
    expect(asked).toBe(10_001);
    expect(await verifier.verifies('api-key', message, first)).toBe(true);
    expect(asked).toBe(10_002);
  });
});
