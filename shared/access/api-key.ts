import { hash, randomInt, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { RoleName } from '../contract/access.ts';
import type { ApiKeyId, EnvironmentName, OrganizationId, PipelineId } from '../contract/ids.ts';

/** An API key as the store keeps it: never the key, only its hash. */
export interface ApiKeyRecord {
  readonly id: ApiKeyId;
  readonly org: OrganizationId;
  readonly name: string;
  readonly role: RoleName;
  readonly subject: string | null;
  readonly pipelines: readonly PipelineId[] | null;
  readonly environments: readonly EnvironmentName[] | null;
  readonly created_at: string;
  readonly created_by: string;
  readonly expires_at: string | null;
  /** SHA-256 of the whole key, hex. The key has 196 random bits, so a slow hash would add nothing. */
  readonly key_hash: string;
  /** By the KeyService, over {@link apiKeyMessage}: who can write the table cannot make or widen a key. */
  readonly signature: string;
}

/** What happens to a key after it was made; outside its signature. */
export interface ApiKeyState {
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 16;
const SECRET_LENGTH = 33; // 33 × log2(62) = 196 bits
const CHECKSUM_LENGTH = 6;
const SHAPE = /^fmk_([0-9A-Za-z]{16})_([0-9A-Za-z]{33})([0-9A-Za-z]{6})$/;

/** A new key: `fmk_<id>_<secret><checksum>`. */
export function generateApiKey(): { id: ApiKeyId; key: string } {
  const id = randomText(ID_LENGTH) as ApiKeyId;
  const body = `${id}_${randomText(SECRET_LENGTH)}`;
  return { id, key: `fmk_${body}${checksum(body)}` };
}

/**
 * The id within a key; null when it is no key of ours or has a typo, which the checksum tells before any
 * look-up.
 */
export function apiKeyIdOf(key: string): ApiKeyId | null {
  const parts = SHAPE.exec(key);
  if (parts === null || parts[3] !== checksum(`${parts[1]}_${parts[2]}`)) return null;
  return parts[1] as ApiKeyId;
}

/** The hash to keep of a key. */
export function hashApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** Whether a key is the one that was hashed; in constant time. */
export function matchesHash(key: string, keyHash: string): boolean {
  const presented = Buffer.from(hashApiKey(key), 'hex');
  const kept = Buffer.from(keyHash, 'hex');
  return presented.length === kept.length && timingSafeEqual(presented, kept);
}

/** The bytes that the KeyService signs: every field that says who the key is and what it may. */
export function apiKeyMessage(key: Omit<ApiKeyRecord, 'signature'>): Buffer {
  const who = [key.id, key.org, key.name, key.role, key.subject, key.key_hash];
  const bounds = [key.pipelines, key.environments, key.created_at, key.created_by, key.expires_at];
  return Buffer.from(JSON.stringify([...who, ...bounds]));
}

function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

/** CRC-32 in base 62: finds typos, proves nothing. */
function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    text = ALPHABET[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
