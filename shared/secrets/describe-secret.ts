import type { Caller } from '../access/caller.ts';
import type { SecretMetadata } from '../contract/secrets.ts';
import { type Located, type LocateNeeds, locate } from './locate.ts';
import { readRecord, toMetadata } from './secret-record.ts';

/** What is known of a secret. @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret` */
export async function describeSecret(
  needs: LocateNeeds,
  caller: Caller,
  request: Located,
): Promise<SecretMetadata> {
  const found = await locate(needs, caller, 'read', request);
  return toMetadata(found.at, readRecord(found), found.last_accessed_at);
}
