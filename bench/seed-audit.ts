import { eventText, linkRecords } from '../shared/audit/chain.ts';
import type { AuditEvent } from '../shared/audit/event.ts';
import { indexBlocks } from '../shared/audit/facets.ts';
import { organizationId } from '../shared/contract/ids.ts';
import { services } from '../shared/embedded/services.ts';
import { nameOf } from './store.ts';

/**
 * `node bench/seed-audit.ts COUNT`: records that many accesses of 500 secrets, by 200 pipelines, over the 80 days
 * before now, in batches as a busy recorder makes them.
 */
const count = Number(process.argv[2]);
const BATCH = 1000;
const SPAN_MS = 80 * 24 * 60 * 60 * 1000;

const org = organizationId.parse('default');
const start = Date.now() - SPAN_MS;
for (let from = 0; from < count; from += BATCH) {
  const events = Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => {
    const event = eventOf(from + index);
    return { event, text: eventText(event) };
  });
  const head = await services.auditLog.head(org);
  const records = linkRecords(head, events);
  await services.auditLog.appendAfter(org, head, records, indexBlocks(records, events));
}
services.database.checkpoint();
services.database.close();

function eventOf(at: number): AuditEvent {
  const timestamp = new Date(start + (at / count) * SPAN_MS).toISOString();
  const secret = { name: nameOf((at * 7919) % 500), scope: 'org', environment: 'production', version: 1 };
  return {
    id: services.newId(),
    org,
    timestamp,
    action: 'access',
    outcome: 'success',
    secrets: [secret],
    user: 'bench',
    run_id: `run-${at}`,
    pipeline_id: `pipeline-${at % 200}`,
    request_id: `request-${at}`,
  } as unknown as AuditEvent;
}
