import type { Caller } from '../access/caller.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { KeyService } from '../envelope/key-service.ts';
import { emptyChain, type StoredRecord } from './chain.ts';
import { type Checkpoint, openNote } from './checkpoint.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { demand } from './demand.ts';
import type { AuditLog } from './log.ts';
import { type ReadNeeds, recordRead } from './record-read.ts';
import { TILE_WIDTH, tileHashes, tilePath } from './tiles.ts';
import { type BadRecord, ChainVerifier } from './verify-chain.ts';

interface Needs extends ReadNeeds {
  readonly auditLog: Pick<AuditLog, 'head' | 'read'>;
  readonly checkpoints: CheckpointStore;
  readonly keyService: Pick<KeyService, 'publicKey'>;
}

interface Verification {
  readonly verified: boolean;
  readonly events: number;
  readonly checkpoints: number;
  readonly first_bad?: BadRecord;
}

const BATCH = 1000;
const CHECKPOINTS = 1000;

/**
 * Checks the whole log of the caller's organization: every link, every record against the leaf that was kept
 * apart, every signed checkpoint; names the first record that is not what it was.
 * @throws SecretsError `forbidden`, `unavailable`
 */
export async function verifyAudit(needs: Needs, caller: Caller): Promise<Verification> {
  await demand(needs, caller, 'read_audit');
  await recordRead(needs, caller, 'verify_audit');
  const { org } = caller;
  const verifier = new ChainVerifier(emptyChain(org));
  const covered = await coveredSize(needs, org);
  const leaves = leafReader(needs.checkpoints, org, covered);
  let agreed = 0;
  const ended = (first_bad?: BadRecord): Verification => {
    const counts = { events: verifier.size, checkpoints: agreed };
    return first_bad === undefined
      ? { verified: true, ...counts }
      : { verified: false, ...counts, first_bad };
  };
  const checkpoints = checkpointsOf(needs, org);
  let due = await checkpoints.next();
  if (due.value === 'forged') return ended({ sequence: 1, reason: 'a checkpoint is not signed by this log' });
  for await (const record of recordsOf(needs.auditLog, org)) {
    const bad = verifier.add(record, await leaves(verifier.size));
    if (bad !== null) return ended(bad);
    while (!due.done && due.value !== 'forged' && due.value.size === verifier.size) {
      const wrong = verifier.agrees(due.value);
      if (wrong !== null) return ended(wrong);
      agreed += 1;
      due = await checkpoints.next();
    }
    if (due.value === 'forged')
      return ended({ sequence: verifier.size + 1, reason: 'a checkpoint is not signed by this log' });
  }
  if (verifier.size < covered)
    return ended({ sequence: verifier.size + 1, reason: 'is missing, and a checkpoint covers it' });
  return ended();
}

async function* recordsOf(log: Needs['auditLog'], org: OrganizationId): AsyncGenerator<StoredRecord> {
  // Records that come while it reads are of the next time: a log that grows must not keep it going for ever.
  const { sequence: end } = await log.head(org);
  for (let from = 1; from <= end; ) {
    const records = await log.read(org, from, BATCH);
    const last = records.at(-1);
    if (last === undefined) return;
    for (const record of records) if (record.sequence <= end) yield record;
    from = Math.max(from, last.sequence) + 1;
  }
}

/** The checkpoints by size; one that is not signed by this log ends them. */
async function* checkpointsOf(
  needs: Needs,
  org: OrganizationId,
): AsyncGenerator<Checkpoint | 'forged', undefined> {
  const publicKey = await needs.keyService.publicKey();
  for (let after = 0; ; ) {
    const notes = await needs.checkpoints.list(org, after, CHECKPOINTS);
    for (const note of notes) {
      const checkpoint = openNote(note, publicKey);
      if (checkpoint === null || checkpoint.org !== org || checkpoint.size <= after) {
        yield 'forged';
        return;
      }
      after = checkpoint.size;
      yield checkpoint;
    }
    if (notes.length < CHECKPOINTS) return;
  }
}

async function coveredSize(needs: Needs, org: OrganizationId): Promise<number> {
  const note = await needs.checkpoints.latest(org);
  const checkpoint = note === null ? null : openNote(note, await needs.keyService.publicKey());
  return checkpoint?.size ?? 0;
}

/** Reads leaves in order, a tile at a time; null beyond what is covered, or where a tile is lost. */
function leafReader(
  store: CheckpointStore,
  org: OrganizationId,
  covered: number,
): (index: number) => Promise<Buffer | null> {
  let tile = -1;
  let hashes: Buffer[] = [];
  return async (index) => {
    if (index >= covered) return null;
    const wanted = Math.floor(index / TILE_WIDTH);
    if (wanted !== tile) {
      const width = Math.min(TILE_WIDTH, covered - wanted * TILE_WIDTH);
      const bytes = await store.readTile(org, tilePath({ level: 0, index: wanted, width }));
      hashes = bytes === null ? [] : tileHashes(bytes);
      tile = wanted;
    }
    return hashes[index - wanted * TILE_WIDTH] ?? null;
  };
}
