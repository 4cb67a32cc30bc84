import { hash } from 'node:crypto';
import type { OrganizationId } from '../contract/ids.ts';
import type { AuditEvent } from './event.ts';

/** The end of an organization's chain: how many records there are, and the hash of the last. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

/** An event in its place: sequence 1, 2, 3 … and the hash of the record before. */
export interface AuditRecord {
  readonly event: AuditEvent;
  readonly previous: string;
  readonly sequence: number;
}

/** A record as the store keeps it: the bytes that were hashed, beside what the store looks it up by. */
export interface StoredRecord {
  readonly sequence: number;
  readonly hash: string;
  readonly bytes: Uint8Array;
  readonly event_id: string;
}

/** An event as it waits in the outbox: its canonical text, which is never encoded anew, and what it says. */
export interface OutboxEvent {
  readonly text: string;
  readonly event: AuditEvent;
}

/** Before the first record of an organization. */
export function emptyChain(org: OrganizationId): ChainHead {
  return { sequence: 0, hash: hash('sha256', `flowmason/chain/v1/${org}`, 'hex') };
}

/** The records that put events, in order, after a head. */
export function linkRecords(head: ChainHead, events: readonly OutboxEvent[]): StoredRecord[] {
  let last = head;
  return events.map(({ text, event }) => {
    const sequence = last.sequence + 1;
    // The canonical form of an AuditRecord: its keys are in order, and the event's text is canonical already.
    const bytes = Buffer.from(`{"event":${text},"previous":"${last.hash}","sequence":${sequence}}`);
    last = { sequence, hash: recordHash(bytes) };
    return { ...last, bytes, event_id: event.id };
  });
}

/** What a stored record says. */
export function readRecordBytes(bytes: Uint8Array): AuditRecord {
  return JSON.parse(Buffer.from(bytes).toString()) as AuditRecord;
}

/** SHA-256 over 0x00 and the record's bytes: the leaf hash of RFC 6962, so a Merkle tree can stand on the chain. */
export function recordHash(bytes: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.of(0), bytes]), 'hex');
}

/** The text that an event has in the outbox and in its record. */
export function eventText(event: AuditEvent): string {
  return canonicalJson(event);
}

/**
 * JSON with one form per content: no whitespace, keys in order of their UTF-16 code units, absent keys left
 * out (RFC 8785 for strings, integers, booleans, null, arrays and objects, which is all that records hold).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const items = value as Readonly<Record<string, unknown>>;
  let text = '';
  for (const key of Object.keys(items).sort()) {
    const item = items[key];
    if (item !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(item)}`;
  }
  return `{${text}}`;
}
