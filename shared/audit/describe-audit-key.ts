import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import type { auditPublicKey } from '../contract/audit.ts';
import type { KeyService } from '../envelope/key-service.ts';
import { keyId, originOf } from './checkpoint.ts';
import { demand } from './demand.ts';
import { type ReadNeeds, recordRead } from './record-read.ts';

/** The key that the log's checkpoints are signed with. @throws SecretsError `forbidden`, `unavailable` */
export async function describeAuditKey(
  needs: ReadNeeds & { readonly keyService: Pick<KeyService, 'publicKey'> },
  caller: Caller,
): Promise<z.infer<typeof auditPublicKey>> {
  await demand(needs, caller, 'read_audit');
  await recordRead(needs, caller, 'read_audit', [], { about: 'public key' });
  const key = await needs.keyService.publicKey();
  return {
    origin: originOf(caller.org),
    key_id: keyId(key).toString('hex'),
    algorithm: 'ECDSA-P256-SHA256',
    public_key: key.export({ format: 'pem', type: 'spki' }).toString(),
  };
}
