import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { apiKeyMessage } from '../access/api-key.ts';
import { settingsMessage } from '../access/organization-settings.ts';
import { emptyChain } from '../audit/chain.ts';
import { type Checkpoint, openNote } from '../audit/checkpoint.ts';
import { ChainVerifier } from '../audit/verify-chain.ts';
import { coordinatesFromKey } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { KeyService, SigningPurpose } from '../envelope/key-service.ts';
import { signedBytes } from '../envelope/signature.ts';
import { readRecord, verifyHead } from '../secrets/secret-record.ts';
import { openVersion, readVersion } from '../secrets/version-record.ts';
import { type ArchiveRow, type End, type Header, type RowOf, readArchive } from './archive.ts';
import { ExpiredLog } from './expired-log.ts';
import { OpenKeys, type OpenRecovery, unwrapRow } from './open-keys.ts';
import { nameOf, reasonOf } from './problems.ts';

/** What a backup holds, and what is wrong with it. */
export interface BackupReport {
  readonly created_at: string;
  readonly public_key: string;
  readonly counts: Readonly<Record<ArchiveRow['kind'], number>>;
  /** Data keys without a second wrap: lost when the root key is. */
  readonly without_recovery: number;
  /** Versions that were opened, when there was a key to open them with. */
  readonly opened: number;
  /** The first few, in words. */
  readonly problems: readonly string[];
}

export interface VerifyOptions {
  readonly keyService: Pick<KeyService, 'unwrapDataKey'>;
  /** What to open data keys with in place of the root key. */
  readonly openRecovery: OpenRecovery | null;
  /** Whether to open every version; else only what needs no key is checked. */
  readonly open: boolean;
  /** The key that must have signed; when null, the one that the backup names is believed. */
  readonly trusted: KeyObject | null;
}

const TOLD = 20;

/**
 * Reads a backup to its end: its signature, each API key's signature, each organization's chain against its
 * checkpoints, and with a key every head and every version.
 * @throws SecretsError `validation` when it is not whole; what is wrong within a whole one is in the report
 */
export async function verifyBackup(
  lines: AsyncIterable<string>,
  options: VerifyOptions,
): Promise<BackupReport> {
  using check = new BackupCheck(options);
  for await (const row of readArchive(lines)) await check.add(row);
  return check.report();
}

/** One reading of a backup. */
class BackupCheck implements Disposable {
  readonly #options: VerifyOptions;
  readonly #keys = new OpenKeys();
  readonly #chains = new Map<string, ChainVerifier>();
  readonly #expired = new Map<string, ExpiredLog>();
  readonly #notes = new Map<string, Map<number, string>>();
  /** How many of the first records may be gone, as checkpoints say. */
  readonly #mayBeGone = new Map<string, number>();
  readonly #problems: string[] = [];
  readonly #counts = {
    ...{ data_key: 0, secret: 0, version: 0, expired: 0, audit_record: 0, audit_event: 0 },
    ...{ checkpoint: 0, reminder: 0, run: 0, api_key: 0, organization: 0 },
  };
  #header: Header | undefined;
  #publicKey: KeyObject | undefined;
  #withoutRecovery = 0;
  #opened = 0;

  constructor(options: VerifyOptions) {
    this.#options = options;
  }

  async add(row: Header | ArchiveRow | End): Promise<void> {
    switch (row.kind) {
      case 'backup':
        return this.#begin(row);
      case 'end':
        return this.#end(row);
      default:
        this.#counts[row.kind] += 1;
        await this.#addRow(row).catch((error: unknown) => this.#tell(`${nameOf(row)}: ${reasonOf(error)}`));
    }
  }

  report(): BackupReport {
    const { created_at = '', public_key = '' } = this.#header ?? {};
    const { length } = this.#problems;
    const more = length > TOLD ? [`and ${length - TOLD} more`] : [];
    return {
      ...{ created_at, public_key, counts: this.#counts },
      ...{ without_recovery: this.#withoutRecovery, opened: this.#opened },
      problems: [...this.#problems.slice(0, TOLD), ...more],
    };
  }

  [Symbol.dispose](): void {
    this.#keys[Symbol.dispose]();
  }

  #begin(header: Header): void {
    this.#header = header;
    const named = createPublicKey(header.public_key);
    const { trusted } = this.#options;
    if (trusted !== null && !trusted.equals(named)) this.#tell('it was signed by another key');
    this.#publicKey = trusted ?? named;
  }

  #end({ digest, signature }: End): void {
    if (!this.#verifies('backup', Buffer.from(digest), signature)) this.#tell('its signature is wrong');
    for (const [org, notes] of this.#notes) {
      for (const size of notes.keys())
        this.#tell(`${org}: a checkpoint covers ${size} records, which are not all here`);
    }
  }

  async #addRow(row: ArchiveRow): Promise<void> {
    switch (row.kind) {
      case 'data_key':
        return this.#addDataKey(row);
      case 'secret':
        return this.#addSecret(row);
      case 'version':
        return this.#addVersion(row);
      case 'checkpoint':
        return this.#addCheckpoint(row);
      case 'expired':
        return this.#addExpired(row);
      case 'audit_record':
        return this.#addRecord(row);
      case 'api_key': {
        const { signature, ...key } = row.record;
        if (!this.#verifies('api-key', apiKeyMessage(key), signature)) throw new Error('was changed');
        return;
      }
      case 'organization': {
        const { settings_signature: signature } = row.record;
        if (signature !== null && !this.#verifies('organization', settingsMessage(row.record), signature))
          throw new Error('was changed');
        return;
      }
      case 'run':
      case 'reminder':
      case 'audit_event':
        return;
    }
  }

  async #addDataKey(row: RowOf<'data_key'>): Promise<void> {
    if (row.recovery === null) this.#withoutRecovery += 1;
    if (!this.#options.open) return;
    this.#keys.add(row, await unwrapRow(this.#options.keyService, this.#options.openRecovery, row));
  }

  #addSecret({ org, key, record, mac, sealed, ...row }: RowOf<'secret'>): void {
    const at = coordinatesFromKey(key);
    const stored = { ...row, at, record: decode(record), mac: decode(mac), sealed: decode(sealed) };
    const head = readRecord(stored);
    if (!this.#options.open) return;
    verifyHead(org as OrganizationId, stored, this.#keys.get(org, head.data_key));
    openVersion(org as OrganizationId, at, head.current, stored.sealed, (id) => this.#keys.get(org, id)).fill(
      0,
    );
  }

  #addVersion({ org, key, version, record, sealed }: RowOf<'version'>): void {
    const said = readVersion({ version, record: decode(record) });
    if (!this.#options.open) return;
    const at = coordinatesFromKey(key);
    openVersion(org as OrganizationId, at, said, decode(sealed), (id) => this.#keys.get(org, id)).fill(0);
    this.#opened += 1;
  }

  #addCheckpoint({ org, note }: RowOf<'checkpoint'>): void {
    const checkpoint = this.#publicKey === undefined ? null : openNote(note, this.#publicKey);
    if (checkpoint === null || checkpoint.org !== org) throw new Error('is not signed by the key');
    const notes = this.#notes.get(org) ?? new Map<number, string>();
    this.#notes.set(org, notes.set(checkpoint.size, note));
    this.#mayBeGone.set(org, Math.max(checkpoint.expired, this.#mayBeGone.get(org) ?? 0));
  }

  /** Records may be gone as far as a checkpoint says so; their leaves are what it and earlier ones cover. */
  #addExpired(row: RowOf<'expired'>): void {
    const { org } = row;
    const log = this.#expired.get(org) ?? new ExpiredLog();
    this.#expired.set(org, log);
    log.add(row, () =>
      this.#compare(org, log.tree.size, (checkpoint) => log.tree.root().equals(checkpoint.root)),
    );
    if (log.tree.size > (this.#mayBeGone.get(org) ?? 0))
      throw new Error('records are gone that no checkpoint lets expire');
  }

  #chainOf(org: string): ChainVerifier {
    const begun = this.#chains.get(org);
    if (begun !== undefined) return begun;
    const expired = this.#expired.get(org);
    const chain =
      expired === undefined
        ? new ChainVerifier(emptyChain(org as OrganizationId))
        : new ChainVerifier(expired.head, expired.tree.roots);
    this.#chains.set(org, chain);
    return chain;
  }

  #addRecord({ org, sequence, bytes }: RowOf<'audit_record'>): void {
    const chain = this.#chainOf(org);
    const bad = chain.add({ sequence, bytes: decode(bytes) }, null);
    if (bad !== null) throw new Error(`record ${bad.sequence} ${bad.reason}`);
    this.#compare(org, chain.size, (checkpoint) => {
      const differs = chain.agrees(checkpoint);
      if (differs !== null) throw new Error(`record ${differs.sequence} ${differs.reason}`);
      return true;
    });
  }

  /** Compares the checkpoint of a size, when there is one. */
  #compare(org: string, size: number, agrees: (checkpoint: Checkpoint) => boolean): void {
    const note = this.#notes.get(org)?.get(size);
    if (note === undefined || this.#publicKey === undefined) return;
    this.#notes.get(org)?.delete(size);
    const checkpoint = openNote(note, this.#publicKey);
    if (checkpoint !== null && !agrees(checkpoint))
      throw new Error(`what expired is not what the checkpoint of ${checkpoint.time} covers`);
  }

  #verifies(purpose: SigningPurpose, message: Uint8Array, signature: string): boolean {
    if (this.#publicKey === undefined) return false;
    return verify('sha256', signedBytes(purpose, message), this.#publicKey, decode(signature));
  }

  #tell(problem: string): void {
    this.#problems.push(problem);
  }
}

function decode(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}
