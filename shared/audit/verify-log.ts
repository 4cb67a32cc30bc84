import { SecretsError } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { KeyService } from '../envelope/key-service.ts';
import type { StoredRecord } from './chain.ts';
import { IndexChecker } from './check-index.ts';
import { type Checkpoint, openNote } from './checkpoint.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { AuditLog } from './log.ts';
import { TILE_WIDTH, tileHashes, tilePath } from './tiles.ts';
import { treeStart } from './tree-start.ts';
import { type BadRecord, ChainVerifier } from './verify-chain.ts';

export interface VerifyNeeds {
  readonly auditLog: Pick<AuditLog, 'head' | 'read' | 'blocks'>;
  readonly checkpoints: CheckpointStore;
  readonly keyService: Pick<KeyService, 'publicKey'>;
}

export interface VerifyRange {
  /** A size from which on to check, at most what the last checkpoint covers. */
  readonly from: number;
  /** What the tree's root must be at that size. */
  readonly root: Buffer | null;
  /** Asked at checkpoints: whether this is enough for now. */
  readonly isEnough: () => boolean;
  /** Told of each record that was found to be right. */
  readonly onRecord: (record: StoredRecord) => void;
}

/** What a log came to. */
export interface LogVerification {
  /** Records that were checked. */
  readonly events: number;
  readonly checkpoints: number;
  /** Records that were removed because they were older than the organization keeps them: a checkpoint says so. */
  readonly expired: number;
  readonly first_bad: BadRecord | null;
  /** Where to go on, when it was enough before the end. */
  readonly continue_from: number | null;
}

const BATCH = 1000;
const CHECKPOINTS = 1000;
const FORGED = 'a checkpoint is not signed by this log';
const ROOT_DIFFERS = 'or one before it is not what the checkpoint that you kept covers';

/**
 * Checks a log: every link, every record against the leaf that was kept apart and against the index, every signed
 * checkpoint; names the first record that is not what it was.
 * @throws SecretsError `unavailable`
 */
export async function verifyLog(
  needs: VerifyNeeds,
  org: OrganizationId,
  range: VerifyRange,
): Promise<LogVerification> {
  const newest = await newestCheckpoint(needs, org);
  const covered = newest?.size ?? 0;
  const expired = newest?.expired ?? 0;
  const start = Math.max(range.from, expired);
  let verifier: ChainVerifier | undefined;
  let agreed = 0;
  const ended = (bad: BadRecord | null, continue_from: number | null = null): LogVerification => {
    const events = (verifier?.size ?? start) - start;
    return { events, checkpoints: agreed, expired, first_bad: bad, continue_from };
  };
  try {
    const { head, roots } = await treeStart(needs.checkpoints, org, start, covered);
    verifier = new ChainVerifier(head, roots);
  } catch (error) {
    if (error instanceof SecretsError) throw error;
    return ended({ sequence: 1, reason: 'is under a tile that is missing or damaged' });
  }
  if (range.root !== null && start === range.from && !verifier.root().equals(range.root))
    return ended({ sequence: range.from, reason: ROOT_DIFFERS });
  const leaves = leafReader(needs.checkpoints, org, covered);
  const index = new IndexChecker(needs.auditLog, org);
  const checkpoints = checkpointsOf(needs, org, start - 1);
  let due = await checkpoints.next();
  /** Compares the checkpoints of the present size. */
  const compared = async (checked: ChainVerifier): Promise<BadRecord | null> => {
    for (; !due.done && due.value !== 'forged' && due.value.size === checked.size; agreed += 1) {
      const wrong = checked.agrees(due.value);
      if (wrong !== null) return wrong;
      due = await checkpoints.next();
    }
    return due.value === 'forged' ? { sequence: checked.size + 1, reason: FORGED } : null;
  };
  let bad = await compared(verifier);
  if (bad !== null) return ended(bad);
  for await (const batch of batchesOf(needs.auditLog, org, start)) {
    for (const record of batch) {
      const before = agreed;
      bad = verifier.add(record, await leaves(verifier.size)) ?? (await compared(verifier));
      if (bad !== null) return ended(bad);
      range.onRecord(record);
      if (agreed > before && verifier.size < covered && range.isEnough()) return ended(null, verifier.size);
    }
    bad = await index.add(batch);
    if (bad !== null) return ended(bad);
  }
  // Before the index: a block whose last record is gone tells nothing of those before it.
  if (verifier.size < covered)
    return ended({ sequence: verifier.size + 1, reason: 'is missing, and a checkpoint covers it' });
  return ended(await index.end());
}

async function* batchesOf(
  log: VerifyNeeds['auditLog'],
  org: OrganizationId,
  after: number,
): AsyncGenerator<readonly StoredRecord[]> {
  // Records that come while it reads are of the next time: a log that grows must not keep it going for ever.
  const { sequence: end } = await log.head(org);
  for (let from = after + 1; from <= end; ) {
    const records = await log.read(org, from, BATCH);
    const last = records.at(-1);
    if (last === undefined) return;
    yield records.filter(({ sequence }) => sequence <= end);
    from = Math.max(from, last.sequence) + 1;
  }
}

/** The checkpoints by size; one that is not signed by this log ends them. */
async function* checkpointsOf(
  needs: VerifyNeeds,
  org: OrganizationId,
  afterSize: number,
): AsyncGenerator<Checkpoint | 'forged', undefined> {
  const publicKey = await needs.keyService.publicKey();
  for (let after = afterSize; ; ) {
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

async function newestCheckpoint(needs: VerifyNeeds, org: OrganizationId): Promise<Checkpoint | null> {
  const note = await needs.checkpoints.latest(org);
  return note === null ? null : openNote(note, await needs.keyService.publicKey());
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
