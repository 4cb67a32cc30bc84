import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import { invalid, SecretsError } from '../contract/errors.ts';
import type { rollbackSecretRequest, SecretMetadata } from '../contract/secrets.ts';
import { commitChange, untilSaved, type WriteNeeds } from './change-secret.ts';
import { type Located, locate } from './locate.ts';
import { expectVersion, nextVersionOf } from './rotate-secret.ts';
import { readRecord } from './secret-record.ts';
import { demandMove } from './stages.ts';
import { provenVersion } from './version-proof.ts';
import { valueEnvelope } from './version-record.ts';

type RollbackRequest = Located & z.infer<typeof rollbackSecretRequest>;

/**
 * Makes a new version with the value of an old one, without opening either.
 * @throws SecretsError `validation`, `forbidden`, `not_found`, `ambiguous_secret`, `version_conflict`, `unavailable`
 */
export async function rollbackSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: RollbackRequest,
): Promise<SecretMetadata> {
  return untilSaved(async () => {
    const before = await locate(needs, caller, 'rollback', request);
    const record = readRecord(before);
    const { version } = record.current;
    expectVersion(request.expected_version, version);
    demandMove('rollback', record);
    if (request.version === version) throw invalid('version', 'is the current version already');
    const range = { limit: 1, below: request.version + 1 };
    const [old] = (await needs.secrets.versions(caller.org, before.at, range)).items;
    if (old === undefined || old.version !== request.version) {
      throw new SecretsError('not_found', 'This secret has no such version. Its history lists those it has.');
    }
    const source = valueEnvelope(
      await provenVersion(needs.keyService, caller.org, before.at, old),
      old.sealed,
    );
    const change = nextVersionOf(needs.now(), caller, before, {
      encoding: source.version.encoding,
      fingerprint: source.version.fingerprint,
      reason: request.reason ?? `Roll back to version ${request.version}`,
      content: { restored: source.sealed },
      restores: source.version,
    });
    return commitChange(needs, caller, change);
  });
}
