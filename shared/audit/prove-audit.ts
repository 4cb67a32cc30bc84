import type { Caller } from '../access/caller.ts';
import type { AuditProof, ProveAuditQuery } from '../contract/audit.ts';
import { invalid, SecretsError } from '../contract/errors.ts';
import type { KeyService } from '../envelope/key-service.ts';
import { recordHash } from './chain.ts';
import { openNote } from './checkpoint.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { demand } from './demand.ts';
import type { AuditLog } from './log.ts';
import { consistencyProof, inclusionProof } from './merkle.ts';
import { type ReadNeeds, recordRead } from './record-read.ts';
import { rangeHashes, tilePath } from './tiles.ts';

interface Needs extends ReadNeeds {
  readonly auditLog: Pick<AuditLog, 'readMany'>;
  readonly checkpoints: Pick<CheckpointStore, 'latest' | 'readTile'>;
  readonly keyService: Pick<KeyService, 'publicKey'>;
}

/**
 * A record, and the hashes that lead from it to the newest checkpoint: who has the log's key needs nothing else to
 * know that the record is in the log, and with `since`, that the log of an older checkpoint only grew.
 * @throws SecretsError `forbidden`, `validation` beyond what a checkpoint covers, `not_found`, `unavailable`
 */
export async function proveAudit(
  needs: Needs,
  caller: Caller,
  request: ProveAuditQuery,
): Promise<AuditProof> {
  await demand(needs, caller, 'read_audit');
  const { sequence, since } = request;
  const { org } = caller;
  const note = await needs.checkpoints.latest(org);
  const checkpoint = note === null ? null : openNote(note, await needs.keyService.publicKey());
  if (note === null || checkpoint === null || sequence > checkpoint.size)
    throw invalid('sequence', `must be at most ${checkpoint?.size ?? 0}: a checkpoint covers so much`);
  if (since !== undefined && since > checkpoint.size)
    throw invalid('since', `must be at most ${checkpoint.size}, the size of the newest checkpoint`);
  const [record] = await needs.auditLog.readMany(org, [sequence]);
  if (record === undefined) throw new SecretsError('not_found', 'The record is not in the log any more.');
  const range = rangeHashes((tile) => needs.checkpoints.readTile(org, tilePath(tile)), checkpoint.size);
  const inclusion = await inclusionProof(range, sequence - 1, checkpoint.size);
  await recordRead(needs, caller, 'read_audit', [], { about: `proof of record ${sequence}` });
  return {
    sequence,
    record: Buffer.from(record.bytes).toString(),
    leaf_hash: Buffer.from(recordHash(record.bytes), 'hex').toString('base64'),
    checkpoint: note,
    inclusion: inclusion.map((hash) => hash.toString('base64')),
    ...(since === undefined
      ? {}
      : {
          consistency: (await consistencyProof(range, since, checkpoint.size)).map((hash) =>
            hash.toString('base64'),
          ),
        }),
  };
}
