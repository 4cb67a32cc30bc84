import type { AuditEntry } from '../contract/audit.ts';
import type { AuditRecord } from './chain.ts';
import type { AuditedSecret } from './event.ts';

/** A record as people read it: one entry for each secret that it touched, or one when it touched none. */
export function entriesOf(record: AuditRecord): AuditEntry[] {
  const { secrets } = record.event;
  return secrets.length === 0 ? [entryOf(record, null)] : secrets.map((secret) => entryOf(record, secret));
}

function entryOf({ sequence, event }: AuditRecord, secret: AuditedSecret | null): AuditEntry {
  const { id: _id, org: _org, secrets: _secrets, environment, about, reason, ...said } = event;
  const why = secret?.problem ?? reason ?? about;
  return {
    ...said,
    ...(environment === undefined ? {} : { run_environment: environment }),
    ...(secret === null ? {} : { secret_name: secret.name, ...definedParts(secret) }),
    ...(why === undefined ? {} : { reason: why }),
    sequence,
  } as AuditEntry;
}

function definedParts({ scope, environment, version }: AuditedSecret) {
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(environment === undefined ? {} : { environment }),
    ...(version === undefined ? {} : { version }),
  };
}
