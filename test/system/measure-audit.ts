import { sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyChain, eventText, linkRecords, type OutboxEvent } from '../../shared/audit/chain.ts';
import { checkpointText, signedNote } from '../../shared/audit/checkpoint.ts';
import { checkpointAudit } from '../../shared/audit/checkpoint-audit.ts';
import type { AuditEvent } from '../../shared/audit/event.ts';
import { beginningLine, checkpointLine, endLine } from '../../shared/audit/export-lines.ts';
import { indexBlocks, type LogFilter } from '../../shared/audit/facets.ts';
import type { AuditLog } from '../../shared/audit/log.ts';
import { CompactTree } from '../../shared/audit/merkle.ts';
import { searchLog } from '../../shared/audit/search-log.ts';
import { ExportVerifier, linesOf } from '../../shared/audit/verify-export.ts';
import { verifyLog } from '../../shared/audit/verify-log.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { EmbeddedAuditStore } from '../../shared/embedded/audit-store.ts';
import { CheckpointFolder } from '../../shared/embedded/checkpoint-store.ts';
import { Database } from '../../shared/embedded/database.ts';
import { newTestKey, throwawayKeyring } from '../testkit/key-service.ts';

/**
 * `npm run measure:audit [-- RECORDS]`: what the audit costs, printed. A page of a question in a small log and a
 * large one; verifying 100,000 records; verifying an export of RECORDS records (a million) with the key alone.
 */
const large = Number(process.argv[2] ?? 1_000_000);
const SMALL = 10_000;
const VERIFIED = 100_000;
const org = organizationId.parse('acme');
const folder = mkdtempSync(join(tmpdir(), 'fm-measure-'));

const say = (line: string) => process.stdout.write(`${line}\n`);
const megabytes = () => `${Math.round(process.memoryUsage().rss / 1024 / 1024)} MB`;
const load = () => `load ${loadavg()[0]?.toFixed(1)}`;

/** A busy organization: many resolves of twenty secrets by ten pipelines, few of anything else; ten a second. */
function eventOf(number: number): OutboxEvent {
  const timestamp = new Date(Date.UTC(2026, 0, 1) + number * 100).toISOString();
  const base = { id: `event-${number}`, org, timestamp, outcome: 'success', user: 'orchestrator' } as const;
  const place = {
    pipeline_id: `pipeline-${number % 10}`,
    run_id: `run-${number >> 2}`,
    environment: 'production',
  };
  const secrets = [0, 7, 13].map((step) => ({
    ...{ name: `secret_${(number + step) % 20}`, scope: 'org', environment: null, version: 1, places: 1 },
  })) as AuditEvent['secrets'];
  const rare = number % 5000 === 0;
  const event: AuditEvent = {
    ...base,
    ...place,
    action: rare ? 'rotate' : 'access',
    secrets: rare ? secrets.slice(0, 1) : secrets,
    api_key_id: 'K'.repeat(16),
    ip_address: '192.0.2.1',
    request_id: `request-${number}`,
  };
  return { event, text: eventText(event) };
}

async function fill(log: EmbeddedAuditStore, count: number): Promise<void> {
  let head = await log.head(org);
  // As many as the recorder takes at once on AWS: the index has as many rows as it would have there.
  while (head.sequence < count) {
    const events = Array.from({ length: 49 }, (_, offset) => eventOf(head.sequence + offset));
    const records = linkRecords(head, events);
    await log.appendAfter(org, head, records, indexBlocks(records, events));
    head = records.at(-1) ?? head;
  }
}

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

/** Asks each question for a page, and counts what the store reads for it. */
async function ask(log: EmbeddedAuditStore, count: number): Promise<void> {
  say(`a page of 100 in a log of ${count}: requests, index rows, records read, milliseconds`);
  for (const filter of questions) {
    const read = { requests: 0, blocks: 0, records: 0 };
    const counted: Pick<AuditLog, 'blocks' | 'readMany'> = {
      blocks: async (...given) => {
        const blocks = await log.blocks(...given);
        read.requests += 1;
        read.blocks += blocks.length;
        return blocks;
      },
      readMany: async (...given) => {
        read.requests += 1;
        const records = await log.readMany(...given);
        read.records += records.length;
        return records;
      },
    };
    const begun = performance.now();
    const found = await searchLog(counted, org, filter, 100, undefined);
    const took = (performance.now() - begun).toFixed(1);
    const what = JSON.stringify(filter);
    say(`  ${read.requests} ${read.blocks} ${read.records} ${took}  ${what}: ${found.length} found`);
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
      Array.from({ length: 500 }, (_, offset) => eventOf(head.sequence + offset)),
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
  const event = eventOf(1);
  const [record] = linkRecords(emptyChain(org), [event]);
  const rows = indexBlocks(record === undefined ? [] : [record], [event]).length;
  say(
    `a resolve of three secrets: one event of ${event.text.length} bytes in the outbox, in one write, before it answers;`,
  );
  say(
    `  then a record of ${record?.bytes.length} bytes, one marker of its id, and ${rows} index rows for its batch of up to 49`,
  );
  await verifyExport(large);
  const database = new Database(join(folder, 'store.db'));
  const log = new EmbeddedAuditStore(database);
  await fill(log, SMALL);
  await ask(log, SMALL);
  await fill(log, VERIFIED);
  await verifyStore(log);
  await fill(log, large);
  await ask(log, large);
  database.close();
} finally {
  rmSync(folder, { recursive: true });
}
