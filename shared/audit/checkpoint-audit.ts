import type { OrganizationId } from '../contract/ids.ts';
import type { KeyService } from '../envelope/key-service.ts';
import { type ChainHead, emptyChain, readRecordBytes, type StoredRecord } from './chain.ts';
import { type Checkpoint, checkpointText, openNote, signedNote } from './checkpoint.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { type ExpiryNeeds, expirable } from './expiry.ts';
import type { AuditLog } from './log.ts';
import { edgeTiles, rangeHashes, TileBuilder, tileHashes, tilePath } from './tiles.ts';
import { linkProblem } from './verify-chain.ts';

export interface CheckpointNeeds extends ExpiryNeeds {
  readonly auditLog: Pick<AuditLog, 'head' | 'read'>;
  readonly checkpoints: CheckpointStore;
  readonly keyService: Pick<KeyService, 'sign' | 'publicKey'>;
  readonly now: () => Date;
}

/** What was found wrong while a checkpoint was made: then none is made. */
export interface BrokenChain {
  readonly sequence: number;
  readonly reason: string;
}

const BATCH = 1000;

/**
 * Signs what an organization's log is now, and keeps the tiles that prove it. Every record since the last
 * checkpoint is checked on the way, so that no signature ever stands under a broken chain.
 * @returns the new checkpoint; null when there is nothing new; what is broken when something is
 * @throws SecretsError `unavailable`
 */
export async function checkpointAudit(
  needs: CheckpointNeeds,
  org: OrganizationId,
): Promise<Checkpoint | BrokenChain | null> {
  const publicKey = await needs.keyService.publicKey();
  const note = await needs.checkpoints.latest(org);
  const before = note === null ? null : openNote(note, publicKey);
  if (note !== null && before === null)
    return { sequence: 0, reason: 'the last checkpoint is not signed by this key' };
  const size = before?.size ?? 0;
  const head = await needs.auditLog.head(org);
  if (head.sequence < size)
    return { sequence: head.sequence + 1, reason: 'is missing, and a checkpoint covers it' };
  if (head.sequence === size) return null;
  const tiles = new TileBuilder(await readEdge(needs.checkpoints, org, size));
  let isAsked = false;
  const add = async (record: StoredRecord) => {
    isAsked ||= readRecordBytes(record.bytes).event.action === 'expire_audit';
    for (const { tile, bytes } of tiles.add(Buffer.from(record.hash, 'hex')))
      await needs.checkpoints.addTile(org, tilePath(tile), bytes);
  };
  const last = await extend(needs, org, await lastCovered(needs, org, size), head.sequence, add);
  if ('reason' in last) return last;
  for (const { tile, bytes } of tiles.edge()) await needs.checkpoints.addTile(org, tilePath(tile), bytes);
  const root = await rangeHashes((tile) => needs.checkpoints.readTile(org, tilePath(tile)), head.sequence)(
    0,
    head.sequence,
  );
  const gone = before?.expired ?? 0;
  // The record only asks. Anybody who writes the store could have put it into the outbox.
  const expired = isAsked ? await expirable(needs, org, size, gone) : gone;
  const time = needs.now().toISOString();
  const checkpoint: Checkpoint = { org, size: head.sequence, root, time, expired };
  const text = checkpointText(checkpoint);
  const signature = await needs.keyService.sign('checkpoint', Buffer.from(text));
  await needs.checkpoints.add(org, checkpoint.size, signedNote(text, org, signature, publicKey));
  return checkpoint;
}

/** The hashes at the right edge of the tree of the last checkpoint, level by level. */
async function readEdge(store: CheckpointStore, org: OrganizationId, size: number) {
  return Promise.all(
    edgeTiles(size).map(async (tile) => {
      const bytes = tile.width === 0 ? Buffer.alloc(0) : await store.readTile(org, tilePath(tile));
      return { index: tile.index, hashes: tileHashes(bytes ?? Buffer.alloc(0)) };
    }),
  );
}

/** The record that the last checkpoint ends with, as the tree remembers it and not as the log says now. */
async function lastCovered(
  { checkpoints }: CheckpointNeeds,
  org: OrganizationId,
  size: number,
): Promise<ChainHead> {
  if (size === 0) return emptyChain(org);
  const hash = await rangeHashes((tile) => checkpoints.readTile(org, tilePath(tile)), size)(size - 1, size);
  return { sequence: size, hash: hash.toString('hex') };
}

async function extend(
  needs: CheckpointNeeds,
  org: OrganizationId,
  from: ChainHead,
  to: number,
  add: (record: StoredRecord) => Promise<void>,
): Promise<ChainHead | BrokenChain> {
  let last = from;
  while (last.sequence < to) {
    const records: readonly StoredRecord[] = await needs.auditLog.read(
      org,
      last.sequence + 1,
      Math.min(BATCH, to - last.sequence),
    );
    if (records.length === 0) return { sequence: last.sequence + 1, reason: 'is missing' };
    for (const record of records) {
      const problem = linkProblem(record, last);
      if (problem !== null) return { sequence: last.sequence + 1, reason: problem };
      await add(record);
      last = record;
    }
  }
  return last;
}
