import type { Replay } from '../access/replay.ts';
import { eventText } from '../audit/chain.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { Trail } from '../audit/outbox.ts';
import { SecretsError } from '../contract/errors.ts';
import type { Item, Write } from './expressions.ts';
import { daysAfter, type Key, outboxKey, replayKey } from './table-layout.ts';

/** Longer than the stream and the failure queue keep an event, so that what was lost there can be fed again. */
const OUTBOX_DAYS = 30;

/** A replay as an item: its caller and key are the item's key. */
export interface ReplayItem extends Key, Omit<Replay, 'caller' | 'key'> {
  readonly expires: number;
}

/** An event as an item of the outbox. The stream hands `event` to the recorder. */
export function outboxItem(event: AuditEvent): Item {
  const { id, org, timestamp } = event;
  return {
    ...outboxKey(id, timestamp),
    event: eventText(event),
    org,
    expires: daysAfter(timestamp, OUTBOX_DAYS),
  };
}

/** The writes that leave a trail, to be put behind a transaction's own. Only the replay's can be refused. */
export function trailWrites({ event, replay }: Trail): Write[] {
  const put = outboxItem(event);
  if (replay === null) return [{ put }];
  const { caller, key, ...answer } = replay;
  const item = { ...replayKey(caller, key), ...answer, expires: daysAfter(replay.expires_at, 0) };
  // One that is too old to be replayed gives way.
  const when = {
    text: 'attribute_not_exists(#pk) OR #expires_at <= :moment',
    names: ['pk', 'expires_at'],
    values: { moment: event.timestamp },
  };
  return [{ put }, { put: item, when }];
}

/** The refusal of a trail's replay. */
export function carriedOutMeanwhile(): SecretsError {
  return new SecretsError('idempotency_conflict', 'The same request was carried out at the same time.');
}
