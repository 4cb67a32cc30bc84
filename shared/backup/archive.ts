import { createHash, type Hash } from 'node:crypto';
import * as z from 'zod';
import type { ApiKeyRecord, ApiKeyState } from '../access/api-key.ts';
import type { OrganizationRecord } from '../access/caller-store.ts';
import type { RunRecord } from '../access/run-token.ts';
import { SecretsError } from '../contract/errors.ts';
import { readRecord } from '../secrets/secret-record.ts';
import { tendAt } from '../secrets/stages.ts';

const bytes = z.base64();
const time = z.string();
const record = z.record(z.string(), z.json());

export const reminderTables = ['announcements', 'digests', 'recipients', 'reminder_progress'] as const;

/**
 * What a backup holds, a line each, in the order in which it can be loaded: the keys before what they open, and
 * last what lets callers in. Bytes are base64. Nothing in it is plaintext but what the store holds in clear.
 */
const archiveRow = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('data_key'),
    org: z.string(),
    id: z.string(),
    environment: z.string().nullable(),
    wrapped: bytes,
    recovery: bytes.nullable(),
    created_at: time,
  }),
  z.strictObject({
    kind: z.literal('secret'),
    org: z.string(),
    key: z.string(),
    revision: z.int(),
    record: bytes,
    mac: bytes,
    sealed: bytes,
    next_rotation_at: time.nullable(),
    deleted_at: time.nullable(),
    purge_at: time.nullable(),
    last_accessed_at: time.nullable(),
  }),
  z.strictObject({
    kind: z.literal('version'),
    org: z.string(),
    key: z.string(),
    version: z.int(),
    record: bytes,
    sealed: bytes,
  }),
  // Before the records, so that each is compared when its size is reached.
  z.strictObject({ kind: z.literal('checkpoint'), org: z.string(), note: z.string() }),
  // Of records that expired: their leaf hashes in the tree, 256 at most, from a leaf on that is counted from 0.
  z.strictObject({ kind: z.literal('expired'), org: z.string(), from: z.int(), hashes: bytes }),
  z.strictObject({ kind: z.literal('audit_record'), org: z.string(), sequence: z.int(), bytes }),
  z.strictObject({ kind: z.literal('audit_event'), event: z.string() }),
  // Who is told of what, and what was announced: rows as they are.
  z.strictObject({
    kind: z.literal('reminder'),
    table: z.enum(reminderTables),
    columns: z.record(z.string().regex(/^[a-z_]+$/), z.union([z.string(), z.number(), z.null()])),
  }),
  z.strictObject({ kind: z.literal('run'), record }),
  z.strictObject({ kind: z.literal('api_key'), record }),
  z.strictObject({ kind: z.literal('organization'), record }),
]);
type ParsedRow = z.infer<typeof archiveRow>;

/** A caller's record is the port's own type: it is stored as it is, and its signature proves it. */
export type ArchiveRow =
  | Exclude<ParsedRow, { kind: 'run' | 'api_key' | 'organization' }>
  | { readonly kind: 'run'; readonly record: RunRecord }
  | { readonly kind: 'api_key'; readonly record: ApiKeyRecord & ApiKeyState }
  | { readonly kind: 'organization'; readonly record: OrganizationRecord };

export type RowOf<Kind extends ArchiveRow['kind']> = Extract<ArchiveRow, { kind: Kind }>;

/** When something is to be done about a secret; never for one that cannot be read, which verifying tells of. */
export function tendingOf(head: { readonly record: Buffer }): string | null {
  try {
    return tendAt(readRecord(head));
  } catch {
    return null;
  }
}

/** A store as a whole, as a restore fills it. */
export interface ArchiveTarget {
  /** Whether it is in use: an organization is loaded last. */
  isUsed(): Promise<boolean>;
  /** Writes rows as they are; rows that are there already are written again. The audit log and its checkpoints are not its own. */
  load(rows: readonly ArchiveRow[]): Promise<void>;
}

/** A store as a whole, as a backup reads it too. */
export interface ArchiveStore extends ArchiveTarget {
  /** Everything, as it was at one moment, in the order of {@link ArchiveRow}'s kinds. */
  rows(): AsyncIterable<ArchiveRow>;
}

const header = z.strictObject({
  kind: z.literal('backup'),
  of: z.literal('flowmason-secrets'),
  format: z.literal(1),
  created_at: time,
  /** Of the key that signed the backup, its API keys and checkpoints; PEM. */
  public_key: z.string(),
});
export type Header = z.infer<typeof header>;

const end = z.strictObject({
  kind: z.literal('end'),
  rows: z.int(),
  /** SHA-256 of every line before, line breaks too; hex. */
  digest: z.string(),
  /** By the KeyService, over the digest; base64. */
  signature: bytes,
});
export type End = z.infer<typeof end>;

/** The lines of a backup, and what is signed at its end. */
export class ArchiveDigest {
  readonly #hash: Hash = createHash('sha256');
  rows = 0;

  /** A line with its break, counted. */
  add(line: string): string {
    this.#hash.update(`${line}\n`);
    return `${line}\n`;
  }

  /** Hex; nothing can be added after. */
  finish(): string {
    return this.#hash.digest('hex');
  }
}

/** A backup as it is read: its header, its rows, and its end when they were as many and as written. */
export async function* readArchive(lines: AsyncIterable<string>): AsyncGenerator<Header | ArchiveRow | End> {
  const digest = new ArchiveDigest();
  let isBegun = false;
  for await (const line of lines) {
    const parsed: unknown = parseLine(line);
    const last = isBegun ? end.safeParse(parsed) : undefined;
    if (last?.success) {
      if (last.data.rows !== digest.rows || last.data.digest !== digest.finish())
        throw damaged('its end does not fit what stands before it');
      yield last.data;
      return;
    }
    digest.add(line);
    if (!isBegun) {
      const first = header.safeParse(parsed);
      if (!first.success) throw damaged('it does not begin as one');
      isBegun = true;
      yield first.data;
      continue;
    }
    const row = archiveRow.safeParse(parsed);
    if (!row.success) throw damaged(`row ${digest.rows + 1} is of no known form`);
    digest.rows += 1;
    yield row.data as ArchiveRow;
  }
  throw damaged('its end is missing');
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** The refusal of a file that is no whole backup. */
function damaged(how: string): SecretsError {
  return new SecretsError('validation', `This is not a whole backup of FlowMason Secrets: ${how}.`);
}
