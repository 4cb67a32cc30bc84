import { eventText, linkRecords, type OutboxEvent } from '../../shared/audit/chain.ts';
import type { AuditEvent } from '../../shared/audit/event.ts';
import { indexBlocks, type LogFilter } from '../../shared/audit/facets.ts';
import type { AuditLog } from '../../shared/audit/log.ts';
import { searchLog } from '../../shared/audit/search-log.ts';
import { organizationId } from '../../shared/contract/ids.ts';

/** Whose log it is. */
export const busyOrg = organizationId.parse('acme');

/** A busy organization: many resolves of twenty secrets by ten pipelines, few of anything else; ten a second. */
export function busyEvent(number: number): OutboxEvent {
  const timestamp = busyMoment(number);
  const base = {
    id: `event-${number}`,
    org: busyOrg,
    timestamp,
    outcome: 'success',
    user: 'orchestrator',
  } as const;
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

/** When an event of {@link busyEvent} happened. */
export function busyMoment(number: number): string {
  return new Date(Date.UTC(2026, 0, 1) + number * 100).toISOString();
}

/** Appends such events until a log has so many. */
export async function fillLog(log: AuditLog, count: number): Promise<void> {
  let head = await log.head(busyOrg);
  // As many as the recorder takes at once on AWS: the index has as many rows as it would have there.
  while (head.sequence < count) {
    const events = Array.from({ length: 49 }, (_, offset) => busyEvent(head.sequence + offset));
    const records = linkRecords(head, events);
    await log.appendAfter(busyOrg, head, records, indexBlocks(records, events));
    head = records.at(-1) ?? head;
  }
}

/** Asks for a page, and counts what the store reads for it. */
export async function countReads(log: AuditLog, filter: LogFilter, limit: number) {
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
  const found = await searchLog(counted, busyOrg, filter, limit, undefined);
  return { ...read, found };
}
