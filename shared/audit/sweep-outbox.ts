import type { AuditEvent } from './event.ts';
import type { AuditLog } from './log.ts';
import type { HeldEvents } from './outbox.ts';
import { type RecordAuditNeeds, recordAudit } from './record-audit.ts';

interface Needs extends RecordAuditNeeds {
  readonly auditLog: RecordAuditNeeds['auditLog'] & Pick<AuditLog, 'recorded'>;
  readonly outbox: HeldEvents;
  readonly now: () => Date;
}

const HOUR_MS = 60 * 60 * 1000;
/** By then the stream has handed an event over, or has dropped it. */
const YOUNGEST_MS = 24 * HOUR_MS;
/** Each event is looked at by two sweeps, so that one may fail. */
const OLDEST_MS = 36 * HOUR_MS;
const EVENTS_AT_ONCE = 500;

/**
 * Records the events of the outbox that the stream never brought, a day after they happened.
 * @returns how many those were: there should be none
 * @throws SecretsError `unavailable`
 */
export async function sweepOutbox(needs: Needs): Promise<number> {
  const time = needs.now().getTime();
  const range = {
    from: new Date(time - OLDEST_MS).toISOString(),
    to: new Date(time - YOUNGEST_MS).toISOString(),
  };
  let found = 0;
  let after: string | undefined;
  do {
    const page = await needs.outbox.held(range, EVENTS_AT_ONCE, after);
    const missing = await unrecorded(needs, page.items);
    if (missing.length > 0) await recordAudit(needs, missing);
    found += missing.length;
    after = page.next;
  } while (after !== undefined);
  return found;
}

async function unrecorded({ auditLog }: Needs, texts: readonly string[]): Promise<string[]> {
  const events = texts.map((text) => ({ text, event: JSON.parse(text) as AuditEvent }));
  const missing: string[] = [];
  for (const [org, ofOrg] of Map.groupBy(events, ({ event }) => event.org)) {
    const ids = await auditLog.recorded(
      org,
      ofOrg.map(({ event }) => event.id),
    );
    missing.push(...ofOrg.filter(({ event }) => !ids.has(event.id)).map(({ text }) => text));
  }
  return missing;
}
