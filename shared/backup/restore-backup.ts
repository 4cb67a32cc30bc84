import { apiKeyMessage } from '../access/api-key.ts';
import { settingsMessage } from '../access/organization-settings.ts';
import { type ChainHead, eventText, readRecordBytes, recordHash, type StoredRecord } from '../audit/chain.ts';
import { type CheckpointNeeds, checkpointAudit } from '../audit/checkpoint-audit.ts';
import { indexBlocks } from '../audit/facets.ts';
import type { AuditLog } from '../audit/log.ts';
import { coordinatesFromKey } from '../contract/coordinates.ts';
import { SecretsError } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { KeyService } from '../envelope/key-service.ts';
import { toStoredVersion } from '../secrets/version-proof.ts';
import { readVersion } from '../secrets/version-record.ts';
import { type ArchiveRow, type ArchiveTarget, type RowOf, readArchive } from './archive.ts';
import { ExpiredLog } from './expired-log.ts';
import { contextOf, unwrapRow } from './open-keys.ts';
import { type BackupReport, type VerifyOptions, verifyBackup } from './verify-backup.ts';

interface Needs extends CheckpointNeeds {
  readonly archive: ArchiveTarget;
  readonly auditLog: AuditLog;
  readonly keyService: KeyService;
}

const BATCH = 500;
/** Rows that are wrapped and signed side by side. */
const ADOPTED_AT_ONCE = 16;

type RestoreOptions = Pick<VerifyOptions, 'openRecovery' | 'trusted'> &
  Partial<Pick<VerifyOptions, 'keyService'>>;
/** What opens the data keys of the backup. */
type Source = Pick<VerifyOptions, 'openRecovery' | 'keyService'>;

/**
 * Fills an empty store from a backup that was verified to its end: data keys wrapped for this store's root key,
 * API keys signed by its signing key, the audit log as it was, with a new checkpoint. What a crash leaves half
 * is finished by doing it again: organizations come last, and without one a store is not in use.
 * @param open the backup's lines, from the beginning each time
 * @param options `keyService` when the root key that wrapped the backup's data keys is not this store's own
 * @throws SecretsError `validation` when something is wrong with the backup or the store is in use
 */
export async function restoreBackup(
  needs: Needs,
  open: () => AsyncIterable<string>,
  options: RestoreOptions,
): Promise<BackupReport> {
  if (await needs.archive.isUsed())
    throw new SecretsError('validation', 'This store is in use. Restore into an empty one.');
  const source = { keyService: needs.keyService, ...options };
  const report = await verifyBackup(open(), { ...source, open: true });
  if (report.problems.length > 0) {
    throw new SecretsError('validation', `Nothing was restored. ${report.problems.join('; ')}`);
  }
  const expired = new Map<string, ExpiredLog>();
  for await (const rows of batches(readArchive(open()))) {
    const kind = rows[0]?.kind;
    if (kind === 'expired') for (const row of rows as RowOf<'expired'>[]) logOf(expired, row.org).add(row);
    else if (kind === 'audit_record') await appendRecords(needs, expired, rows as RowOf<'audit_record'>[]);
    else {
      if (kind === 'organization') await signLogs(needs, expired, rows as RowOf<'organization'>[]);
      await loadRows(needs, source, rows);
    }
  }
  return report;
}

async function loadRows(needs: Needs, source: Source, rows: readonly ArchiveRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ADOPTED_AT_ONCE) {
    const some = rows.slice(from, from + ADOPTED_AT_ONCE);
    await needs.archive.load(await Promise.all(some.map((row) => adopt(needs, source, row))));
  }
}

function logOf(logs: Map<string, ExpiredLog>, org: string): ExpiredLog {
  const log = logs.get(org) ?? new ExpiredLog();
  logs.set(org, log);
  return log;
}

/** Rows of one kind together, without the first and the last line; the log's checkpoints are made anew. */
async function* batches(rows: ReturnType<typeof readArchive>): AsyncGenerator<ArchiveRow[]> {
  let batch: ArchiveRow[] = [];
  for await (const row of rows) {
    if (row.kind === 'backup' || row.kind === 'end' || row.kind === 'checkpoint') continue;
    if (batch.length >= BATCH || (batch.length > 0 && batch[0]?.kind !== row.kind)) {
      yield batch;
      batch = [];
    }
    batch.push(row);
  }
  if (batch.length > 0) yield batch;
}

/** A row as this store's own keys would have made it. */
async function adopt({ keyService }: Needs, source: Source, row: ArchiveRow): Promise<ArchiveRow> {
  if (row.kind === 'data_key') {
    const secret = await unwrapRow(source.keyService, source.openRecovery, row);
    try {
      const { wrapped, recovery } = await keyService.wrapDataKey(secret, contextOf(row));
      return { ...row, wrapped: encode(wrapped), recovery: recovery === null ? null : encode(recovery) };
    } finally {
      secret.fill(0);
    }
  }
  if (row.kind === 'api_key') {
    const { signature: _old, ...key } = row.record;
    const signature = encode(await keyService.sign('api-key', apiKeyMessage(key)));
    return { ...row, record: { ...key, signature } };
  }
  if (row.kind === 'version') {
    // Every version was opened before, so this store may vouch for it.
    const sealed = Buffer.from(row.sealed, 'base64');
    const record = readVersion({ version: row.version, record: Buffer.from(row.record, 'base64') });
    const at = coordinatesFromKey(row.key);
    const proven = await toStoredVersion(keyService, row.org as OrganizationId, at, record, sealed);
    return { ...row, record: encode(proven.record) };
  }
  if (row.kind === 'organization' && row.record.settings_signature !== null) {
    const signature = encode(await keyService.sign('organization', settingsMessage(row.record)));
    return { ...row, record: { ...row.record, settings_signature: signature } };
  }
  return row;
}

/** Appends those records that the log does not have yet, and their index. */
async function appendRecords(
  { auditLog }: Needs,
  expired: ReadonlyMap<string, ExpiredLog>,
  rows: readonly RowOf<'audit_record'>[],
): Promise<void> {
  for (const [org, ofOrg] of Map.groupBy(rows, (row) => row.org as OrganizationId)) {
    const { sequence: last } = await auditLog.head(org);
    const missing = ofOrg.filter(({ sequence }) => sequence > last).map(toRecord);
    for (let from = 0; from < missing.length; from += auditLog.appendsAtOnce) {
      const records = missing.slice(from, from + auditLog.appendsAtOnce);
      await append(auditLog, expired.get(org)?.head, org, records);
    }
  }
}

async function append(
  auditLog: AuditLog,
  behind: ChainHead | undefined,
  org: OrganizationId,
  records: readonly StoredRecord[],
): Promise<void> {
  const head = await auditLog.head(org);
  const events = records.map(({ bytes }) => readRecordBytes(bytes).event);
  const blocks = indexBlocks(
    records,
    events.map((event) => ({ text: eventText(event), event })),
  );
  const isAppended =
    head.sequence === 0 && behind !== undefined
      ? await auditLog.beginAfter(org, behind, records, blocks)
      : await auditLog.appendAfter(org, head, records, blocks);
  if (!isAppended)
    throw new SecretsError('unavailable', 'Another process writes this store. Stop it, and restore again.');
}

function toRecord({ sequence, bytes: base64 }: RowOf<'audit_record'>): StoredRecord {
  const bytes = Buffer.from(base64, 'base64');
  return { sequence, bytes, hash: recordHash(bytes), event_id: readRecordBytes(bytes).event.id };
}

/** The old checkpoints held, or nothing would be restored; from here on this store's own key signs. */
async function signLogs(
  needs: Needs,
  expired: ReadonlyMap<string, ExpiredLog>,
  rows: readonly RowOf<'organization'>[],
): Promise<void> {
  for (const { record } of rows) {
    await expired.get(record.id)?.sign(needs, record.id);
    const made = await checkpointAudit(needs, record.id);
    if (made === null || !('reason' in made)) continue;
    throw new SecretsError(
      'validation',
      `The checkpoints that are kept of ${record.id} are of another log: ${made.reason}. Name an empty place for them, and restore again.`,
    );
  }
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
