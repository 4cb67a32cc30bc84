import type { Caller } from '../access/caller.ts';
import { auditedSecret } from '../audit/event.ts';
import { type ReadNeeds, recordRead } from '../audit/record-read.ts';
import type { SecretMetadata } from '../contract/secrets.ts';
import { type Located, type LocateNeeds, locate } from './locate.ts';
import { readRecord, toMetadata } from './secret-record.ts';

/** What is known of a secret. @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret` */
export async function describeSecret(
  needs: LocateNeeds & ReadNeeds,
  caller: Caller,
  request: Located,
): Promise<SecretMetadata> {
  const found = await locate(needs, caller, 'read', request);
  await recordRead(needs, caller, 'read', [auditedSecret(found.at)]);
  return toMetadata(caller, found.at, readRecord(found), found.last_accessed_at);
}
