import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrganizationId } from '../../shared/contract/ids.ts';
import { Keyring } from '../../shared/embedded/keyring.ts';
import type { RecoveryRecipient } from '../../shared/embedded/recovery-recipient.ts';
import type { DataKeyStore, WrappedDataKey } from '../../shared/envelope/data-keys.ts';
import type { KeyService } from '../../shared/envelope/key-service.ts';

/** A real keyring that leaves no file behind. */
export function throwawayKeyring(recovery: RecoveryRecipient | null = null): Keyring {
  const folder = mkdtempSync(join(tmpdir(), 'fm-keyring-'));
  try {
    return Keyring.open(join(folder, 'keyring.json'), false, recovery);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A signing key of its own. */
export function newTestKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** A KeyService that counts, keeps what it gave out so that its zeroing can be seen, and waits when told to. */
export class WatchedKeys implements KeyService {
  readonly #keyring = throwawayKeyring();
  readonly given: Buffer[] = [];
  generated = 0;
  unwrapped = 0;
  publicKeyAsked = 0;
  /** Run before each unwrap: throw or wait in it. */
  beforeUnwrap: (id: string) => Promise<void> = async () => undefined;

  async generateDataKey(context: Parameters<KeyService['generateDataKey']>[0]) {
    this.generated += 1;
    const made = await this.#keyring.generateDataKey(context);
    this.given.push(made.plaintext);
    return made;
  }

  async unwrapDataKey(...[wrapped, context]: Parameters<KeyService['unwrapDataKey']>) {
    this.unwrapped += 1;
    await this.beforeUnwrap(context.data_key);
    const plaintext = await this.#keyring.unwrapDataKey(wrapped, context);
    this.given.push(plaintext);
    return plaintext;
  }

  wrapDataKey(...given: Parameters<KeyService['wrapDataKey']>) {
    return this.#keyring.wrapDataKey(...given);
  }

  sign(...given: Parameters<KeyService['sign']>) {
    return this.#keyring.sign(...given);
  }

  mac(...given: Parameters<KeyService['mac']>) {
    return this.#keyring.mac(...given);
  }

  publicKey() {
    this.publicKeyAsked += 1;
    return this.#keyring.publicKey();
  }
}

/** Wrapped data keys in memory. `moveTo` does what somebody who can write the table could. */
export class MemoryDataKeys implements DataKeyStore {
  readonly rows: WrappedDataKey[] = [];
  finds = 0;

  async add(key: WrappedDataKey): Promise<void> {
    this.rows.push(key);
  }

  async find(org: OrganizationId, ids: readonly string[]): Promise<readonly WrappedDataKey[]> {
    this.finds += 1;
    return this.rows.filter((row) => row.org === org && ids.includes(row.id));
  }

  moveTo(org: OrganizationId): void {
    for (const row of [...this.rows]) this.rows.push({ ...row, org });
  }
}
