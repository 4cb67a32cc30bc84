import { hash, type KeyObject, verify } from 'node:crypto';
import type { OrganizationId } from '../contract/ids.ts';

/** What the tree of an organization's records was at a moment. */
export interface Checkpoint {
  readonly org: OrganizationId;
  /** How many records it covers. */
  readonly size: number;
  /** The root of RFC 6962's tree over them. */
  readonly root: Buffer;
  /** When it was made; RFC 3339. */
  readonly time: string;
  /** How many of the first records may be gone, since they are older than the organization keeps them. */
  readonly expired: number;
}

const ORIGIN = 'flowmason-secrets/';
const TIME = 'time ';
const EXPIRED = 'expired ';

/**
 * The text that is signed: C2SP's tlog-checkpoint, with extension lines: the time, and what expired, if anything did.
 *
 *   flowmason-secrets/<org> ⏎ size ⏎ root in base64 ⏎ time 2026-01-31T12:00:00.000Z ⏎
 */
export function checkpointText({ org, size, root, time, expired }: Checkpoint): string {
  const gone = expired === 0 ? '' : `${EXPIRED}${expired}\n`;
  return `${ORIGIN}${org}\n${size}\n${root.toString('base64')}\n${TIME}${time}\n${gone}`;
}

/** A signed note (C2SP signed-note): the text, a blank line, and the signature line of the log's own key. */
export function signedNote(
  text: string,
  org: OrganizationId,
  signature: Uint8Array,
  publicKey: KeyObject,
): string {
  const signed = Buffer.concat([keyId(publicKey), signature]).toString('base64');
  return `${text}\n— ${ORIGIN}${org} ${signed}\n`;
}

/** A note's checkpoint, when the key's signature on it is right; null otherwise. Other signatures may stand beside it. */
export function openNote(note: string, publicKey: KeyObject): Checkpoint | null {
  const end = note.lastIndexOf('\n\n');
  if (end < 0) return null;
  const text = note.slice(0, end + 1);
  const checkpoint = parseText(text);
  if (checkpoint === null) return null;
  const id = keyId(publicKey);
  const isSigned = note
    .slice(end + 2)
    .split('\n')
    .some((line) => {
      const parts = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/.exec(line);
      if (parts?.[1] !== `${ORIGIN}${checkpoint.org}`) return false;
      const signed = Buffer.from(parts[2] ?? '', 'base64');
      // Decoding overlooks what the last character's spare bits say; a signature has one spelling.
      if (signed.toString('base64') !== parts[2] || !signed.subarray(0, 4).equals(id)) return false;
      return verify('sha256', Buffer.from(text), publicKey, signed.subarray(4));
    });
  return isSigned ? checkpoint : null;
}

/** What a note says, without asking whether it is signed; null when it is no checkpoint. */
export function readNote(note: string): Checkpoint | null {
  const end = note.lastIndexOf('\n\n');
  return end < 0 ? null : parseText(note.slice(0, end + 1));
}

/** The size that a note says, without asking whether it is signed; 0 when it says none. */
export function noteSize(note: string): number {
  return readNote(note)?.size ?? 0;
}

/** The name of an organization's log, as its checkpoints begin. */
export function originOf(org: OrganizationId): string {
  return `${ORIGIN}${org}`;
}

/** The first four bytes of the SHA-256 of the key's SPKI: how C2SP names an ECDSA key. */
export function keyId(publicKey: KeyObject): Buffer {
  return hash('sha256', publicKey.export({ format: 'der', type: 'spki' }), 'buffer').subarray(0, 4);
}

const TEXT =
  /^flowmason-secrets\/([a-z0-9-]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\ntime (\S+)\n(?:expired ([1-9]\d{0,15})\n)?$/;

function parseText(text: string): Checkpoint | null {
  const parts = TEXT.exec(text);
  if (parts === null) return null;
  const [, org = '', size, root = '', time = '', expired = '0'] = parts;
  return {
    org: org as OrganizationId,
    size: Number(size),
    root: Buffer.from(root, 'base64'),
    time,
    expired: Number(expired),
  };
}
