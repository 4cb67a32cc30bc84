import { SecretsError } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { linkRecords, type OutboxEvent } from './chain.ts';
import type { AuditEvent, AuditedSecret } from './event.ts';
import { indexBlocks } from './facets.ts';
import type { AuditLog } from './log.ts';

/** When a secret was last resolved, for its metadata. */
export interface AccessNote {
  readonly secret: AuditedSecret;
  readonly at: string;
}

export interface RecordAuditNeeds {
  readonly auditLog: Pick<AuditLog, 'appendsAtOnce' | 'head' | 'recorded' | 'appendAfter'>;
  readonly secrets: {
    /** Notes accesses on the secrets' heads; never moves a time back. */
    noteAccesses(org: OrganizationId, notes: readonly AccessNote[]): Promise<void>;
  };
}

const MAX_ATTEMPTS = 50;

/**
 * Gives events their place in their organization's chain. May be called with the same event any number of
 * times, in any order, by several recorders at once: each event is in the chain once.
 * @param texts events as the outbox holds them
 * @throws SecretsError `unavailable` when an organization's events could not be appended; those of the
 *   organizations before it stay appended
 */
export async function recordAudit(needs: RecordAuditNeeds, texts: readonly string[]): Promise<void> {
  const events = texts.map((text): OutboxEvent => ({ text, event: JSON.parse(text) as AuditEvent }));
  for (const [org, ofOrg] of Map.groupBy(events, ({ event }) => event.org)) {
    await appendEvents(needs, org, ofOrg);
    const notes = accessNotes(ofOrg);
    if (notes.length > 0) await needs.secrets.noteAccesses(org, notes);
  }
}

async function appendEvents(
  needs: RecordAuditNeeds,
  org: OrganizationId,
  events: readonly OutboxEvent[],
): Promise<void> {
  const byId = new Map(events.map((event) => [event.event.id, event]));
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    let head = await needs.auditLog.head(org);
    const recorded = await needs.auditLog.recorded(org, [...byId.keys()]);
    const missing = [...byId.values()].filter(({ event }) => !recorded.has(event.id));
    if (missing.length === 0) return;
    let isBehind = false;
    for (let from = 0; from < missing.length && !isBehind; from += needs.auditLog.appendsAtOnce) {
      const some = missing.slice(from, from + needs.auditLog.appendsAtOnce);
      const records = linkRecords(head, some);
      isBehind = !(await needs.auditLog.appendAfter(org, head, records, indexBlocks(records, some)));
      head = records.at(-1) ?? head;
    }
    if (!isBehind) return;
  }
  throw new SecretsError(
    'unavailable',
    'The audit chain moved on faster than it could be appended to. Try again.',
  );
}

/** The latest access of each secret. */
function accessNotes(events: readonly OutboxEvent[]): AccessNote[] {
  const notes = new Map<string, AccessNote>();
  for (const { event } of events) {
    if (event.action !== 'access' || event.outcome !== 'success') continue;
    for (const secret of event.secrets) {
      const key = `${secret.name}#${secret.scope}#${secret.environment}#${secret.owner}`;
      const noted = notes.get(key);
      if (noted === undefined || noted.at < event.timestamp) notes.set(key, { secret, at: event.timestamp });
    }
  }
  return [...notes.values()];
}
