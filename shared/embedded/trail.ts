import { eventText } from '../audit/chain.ts';
import type { Trail } from '../audit/outbox.ts';
import { SecretsError } from '../contract/errors.ts';
import type { Database } from './database.ts';

/**
 * Writes a trail within the write that it belongs to.
 * @throws SecretsError `idempotency_conflict` when the same request was carried out meanwhile
 */
export function leaveTrail(db: Database, { event, replay }: Trail): void {
  db.run('INSERT INTO outbox (event) VALUES (?)', eventText(event));
  if (replay === null) return;
  const { caller, key, fingerprint, status, answer, expires_at } = replay;
  // One that is too old to be replayed gives way.
  const kept = db.run(
    `INSERT INTO replays (caller, key, fingerprint, status, answer, expires_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
       answer = excluded.answer, expires_at = excluded.expires_at
     WHERE replays.expires_at <= ?`,
    caller,
    key,
    fingerprint,
    status,
    answer,
    expires_at,
    event.timestamp,
  );
  if (kept === 0)
    throw new SecretsError('idempotency_conflict', 'The same request was carried out at the same time.');
}
