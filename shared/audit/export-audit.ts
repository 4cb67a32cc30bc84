import type { Caller } from '../access/caller.ts';
import type { ExportAuditQuery } from '../contract/audit.ts';
import { invalid } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { decodeCursor, encodeCursor, type TextPage } from '../contract/page.ts';
import { readRecordBytes, type StoredRecord } from './chain.ts';
import { noteSize, readNote } from './checkpoint.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { type DemandNeeds, demand } from './demand.ts';
import { eventOf } from './event.ts';
import { CSV_HEADER, csvLines } from './export-csv.ts';
import { beginningLine, checkpointLine, endLine } from './export-lines.ts';
import { ocsfLine } from './export-ocsf.ts';
import type { AuditLog } from './log.ts';
import { treeStart } from './tree-start.ts';

interface Needs extends DemandNeeds {
  readonly auditLog: Pick<AuditLog, 'head' | 'read'>;
  readonly checkpoints: Pick<CheckpointStore, 'latest' | 'list' | 'readTile'>;
}

/** Where a page begins, and where the whole export ends: records that come meanwhile are of the next one. */
interface Position {
  readonly from: number;
  readonly end: number;
}

/** An answer of a Lambda has at most 6 MB. */
const MAX_BYTES = 4_000_000;
const READ_AT_ONCE = 100;

/**
 * The log as it is stored, oldest first. Each page leaves a record of its own, whatever the organization does
 * about reads: nobody takes a copy of the log unseen.
 * @throws SecretsError `forbidden`, `validation`, `unavailable`
 */
export async function exportAudit(
  needs: Needs,
  caller: Caller,
  request: ExportAuditQuery,
): Promise<TextPage> {
  await demand(needs, caller, 'read_audit');
  const { format, limit, cursor } = request;
  const position =
    cursor === undefined ? await firstPosition(needs, caller.org, request) : parseCursor(cursor);
  const records = await readPage(needs.auditLog, caller.org, position, limit);
  const last = records.at(-1)?.sequence ?? position.end;
  const isLast = last >= position.end;
  const lines =
    format === 'jsonl'
      ? await verifiable(needs, caller.org, records, { ...position, last, isFirst: cursor === undefined })
      : readable(format, records, cursor === undefined);
  const reason = `records ${position.from} to ${last} as ${format}`;
  await needs.outbox.append(eventOf(needs, caller, { action: 'export_audit', reason }));
  return {
    media: format === 'csv' ? 'text/csv' : 'application/jsonl',
    items: lines,
    ...(isLast ? {} : { next: encodeCursor(`${last + 1} ${position.end}`) }),
  };
}

async function firstPosition(
  { auditLog, checkpoints }: Needs,
  org: OrganizationId,
  { from_sequence }: ExportAuditQuery,
): Promise<Position> {
  const note = await checkpoints.latest(org);
  const expired = note === null ? 0 : (readNote(note)?.expired ?? 0);
  return { from: Math.max(from_sequence, expired + 1), end: (await auditLog.head(org)).sequence };
}

async function readPage(
  log: Needs['auditLog'],
  org: OrganizationId,
  { from, end }: Position,
  limit: number,
): Promise<StoredRecord[]> {
  const page: StoredRecord[] = [];
  for (let next = from, bytes = 0; next <= end && page.length < limit && bytes < MAX_BYTES; ) {
    const read = await log.read(org, next, Math.min(READ_AT_ONCE, limit - page.length));
    const last = read.at(-1);
    if (last === undefined) break;
    for (const record of read) {
      if (record.sequence > end) return page;
      bytes += record.bytes.length;
      page.push(record);
    }
    next = last.sequence + 1;
  }
  return page;
}

async function verifiable(
  { checkpoints }: Needs,
  org: OrganizationId,
  records: readonly StoredRecord[],
  { from, last, end, isFirst }: Position & { last: number; isFirst: boolean },
): Promise<string[]> {
  const lines = isFirst ? [await beginning(checkpoints, org, from - 1)] : [];
  const notes = await notesBetween(checkpoints, org, isFirst ? from - 2 : from - 1, last);
  let due = 0;
  const addNotes = (size: number) => {
    for (; due < notes.length && noteSize(notes[due] ?? '') <= size; due += 1)
      lines.push(checkpointLine(notes[due] ?? ''));
  };
  addNotes(from - 1);
  for (const { sequence, bytes } of records) {
    lines.push(Buffer.from(bytes).toString());
    addNotes(sequence);
  }
  addNotes(last);
  if (last >= end) lines.push(endLine(end, records.at(-1)?.hash));
  return lines;
}

async function beginning(store: Needs['checkpoints'], org: OrganizationId, size: number): Promise<string> {
  const note = size === 0 ? null : await store.latest(org);
  const covered = note === null ? 0 : noteSize(note);
  if (size > covered)
    throw invalid('from_sequence', `must be at most ${covered + 1}: a checkpoint covers so much`);
  return beginningLine(org, await treeStart(store, org, size, covered));
}

/** The notes of checkpoints whose size is above one and at most another. */
async function notesBetween(
  store: Needs['checkpoints'],
  org: OrganizationId,
  above: number,
  upTo: number,
): Promise<string[]> {
  const notes: string[] = [];
  for (let after = above; after < upTo; ) {
    const some = await store.list(org, after, READ_AT_ONCE);
    notes.push(...some.filter((note) => noteSize(note) <= upTo));
    const last = some.at(-1);
    if (last === undefined || some.length < READ_AT_ONCE) break;
    after = noteSize(last);
  }
  return notes;
}

function readable(format: 'csv' | 'ocsf', records: readonly StoredRecord[], isFirst: boolean): string[] {
  const read = records.map(({ bytes }) => readRecordBytes(bytes));
  if (format === 'ocsf') return read.map(ocsfLine);
  return [...(isFirst ? [CSV_HEADER] : []), ...read.flatMap(csvLines)];
}

function parseCursor(cursor: string): Position {
  const [from, end] = decodeCursor(cursor, /^\d{1,15} \d{1,15}$/).split(' ');
  return { from: Number(from), end: Number(end) };
}
