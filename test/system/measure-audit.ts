import { sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyChain, linkRecords } from '../../shared/audit/chain.ts';
import { checkpointText, signedNote } from '../../shared/audit/checkpoint.ts';
import { checkpointAudit } from '../../shared/audit/checkpoint-audit.ts';
import { beginningLine, checkpointLine, endLine } from '../../shared/audit/export-lines.ts';
import { indexBlocks, type LogFilter } from '../../shared/audit/facets.ts';
import { CompactTree } from '../../shared/audit/merkle.ts';
import { ExportVerifier, linesOf } from '../../shared/audit/verify-export.ts';
import { verifyLog } from '../../shared/audit/verify-log.ts';
import { EmbeddedAuditStore } from '../../shared/embedded/audit-store.ts';
import { CheckpointFolder } from '../../shared/embedded/checkpoint-store.ts';
import { Database } from '../../shared/embedded/database.ts';
import { busyEvent, busyMoment, busyOrg, countReads, fillLog } from '../testkit/busy-log.ts';
import { newTestKey, throwawayKeyring } from '../testkit/key-service.ts';
import { measureResolve } from './measure-resolve.ts';

/**
 * `npm run measure:audit [-- RECORDS]`: what the audit costs, printed. A resolve with its record and without; a page
 * of each question in logs of ten thousand, a hundred thousand and RECORDS (a million) records; verifying 100,000
 * records; verifying an export of RECORDS records with the key alone.
 */
const large = Number(process.argv[2] ?? 1_000_000);
const SMALL = 10_000;
const VERIFIED = 100_000;
const org = busyOrg;
const folder = mkdtempSync(join(tmpdir(), 'fm-measure-'));

const say = (line: string) => process.stdout.write(`${line}\n`);
const megabytes = () => `${Math.round(process.memoryUsage().rss / 1024 / 1024)} MB`;
const load = () => `load ${loadavg()[0]?.toFixed(1)}`;

const questions: readonly LogFilter[] = [
  {},
  { secret_name: 'secret_3' },
  { run_id: 'run-5' },
  { pipeline_id: 'pipeline-4' },
  { user: 'orchestrator' },
  { action: 'rotate' },
  { secret_name: 'secret_0', action: 'rotate' },
  { outcome: 'denied' },
  {
    from: new Date(Date.UTC(2026, 0, 1)).toISOString(),
    to: new Date(Date.UTC(2026, 0, 1) + 300_000).toISOString(),
  },
];

/** Asks each question for a page, and says what the store read for it. */
async function ask(log: EmbeddedAuditStore, count: number): Promise<void> {
  say(`a page of 100 in a log of ${count}: requests, index rows, records read, milliseconds; ${load()}`);
  for (const filter of [...questions, { to: busyMoment(count / 2) }]) {
    const begun = performance.now();
    const { requests, blocks, records, found } = await countReads(log, filter, 100);
    const took = (performance.now() - begun).toFixed(1);
    say(`  ${requests} ${blocks} ${records} ${took}  ${JSON.stringify(filter)}: ${found.length} found`);
  }
}

async function verifyStore(log: EmbeddedAuditStore): Promise<void> {
  const keyService = throwawayKeyring();
  const checkpoints = new CheckpointFolder(join(folder, 'checkpoints'));
  const callers = { findOrganization: async () => null };
  const signatures = { verifies: async () => false };
  const needs = { auditLog: log, checkpoints, keyService, callers, signatures, now: () => new Date() };
  const signed = performance.now();
  await checkpointAudit(needs, org);
  const begun = performance.now();
  const all = { from: 0, root: null, isEnough: () => false, onRecord: () => undefined };
  const { events, first_bad } = await verifyLog(needs, org, all);
  const [made, took] = [begun - signed, performance.now() - begun].map((ms) => (ms / 1000).toFixed(1));
  say(
    `checkpoint of ${events} records: ${made} s; verified in ${took} s, ${megabytes()}, ${first_bad ?? 'whole'}; ${load()}`,
  );
}

/** An export as it would come from a file, made as it is read: nothing of it is kept. */
async function* exported(count: number, key: ReturnType<typeof newTestKey>): AsyncGenerator<Buffer> {
  const tree = new CompactTree();
  let head = emptyChain(org);
  yield Buffer.from(`${beginningLine(org, { head, roots: [] })}\n`);
  while (head.sequence < count) {
    const records = linkRecords(
      head,
      Array.from({ length: 500 }, (_, offset) => busyEvent(head.sequence + offset)),
    );
    for (const { hash } of records) tree.add(Buffer.from(hash, 'hex'));
    head = records.at(-1) ?? head;
    const text = checkpointText({
      org,
      size: head.sequence,
      root: tree.root(),
      time: '2026-01-01T00:00:00Z',
      expired: 0,
    });
    const note = signedNote(text, org, sign('sha256', Buffer.from(text), key.privateKey), key.publicKey);
    const lines = records.map(({ bytes }) => Buffer.from(bytes).toString());
    yield Buffer.from(`${[...lines, checkpointLine(note)].join('\n')}\n`);
  }
  yield Buffer.from(`${endLine(head.sequence, head.hash)}\n`);
}

async function verifyExport(count: number): Promise<void> {
  const key = newTestKey();
  const verifier = new ExportVerifier(key.publicKey, null);
  let [bytes, took, lines] = [0, 0, 0];
  for await (const chunk of exported(count, key)) {
    const begun = performance.now();
    // The time to make it is not the time to check it.
    for await (const line of linesOf([chunk] as unknown as AsyncIterable<Uint8Array>)) verifier.add(line);
    took += performance.now() - begun;
    bytes += chunk.length;
    lines += 1;
    if (lines % 400 === 0) process.stderr.write(`${verifier.events} records, ${megabytes()}\n`);
  }
  const { verified, events, checkpoints } = verifier.end();
  say(
    `export of ${events} records (${Math.round(bytes / 1e6)} MB, ${checkpoints} checkpoints) verified with the key alone in ${(took / 1000).toFixed(1)} s, ${megabytes()}, ${verified ? 'whole' : 'NOT whole'}; ${load()}`,
  );
}

try {
  const event = busyEvent(1);
  const [record] = linkRecords(emptyChain(org), [event]);
  const rows = indexBlocks(record === undefined ? [] : [record], [event]).length;
  say(
    `a resolve of three secrets: one event of ${event.text.length} bytes in the outbox, in one write, before it answers;`,
  );
  say(
    `  then a record of ${record?.bytes.length} bytes, one marker of its id, and ${rows} index rows for its batch of up to 49`,
  );
  await measureResolve(folder, say);
  await verifyExport(large);
  const database = new Database(join(folder, 'store.db'));
  const log = new EmbeddedAuditStore(database);
  await fillLog(log, SMALL);
  await ask(log, SMALL);
  await fillLog(log, VERIFIED);
  await ask(log, VERIFIED);
  await verifyStore(log);
  await fillLog(log, large);
  await ask(log, large);
  database.close();
} finally {
  rmSync(folder, { recursive: true });
}
