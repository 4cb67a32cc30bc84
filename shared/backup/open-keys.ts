import type { EnvironmentName, OrganizationId } from '../contract/ids.ts';
import { CachedKey, type DataKey } from '../envelope/data-key-loan.ts';
import { decryptionFailed } from '../envelope/envelope.ts';
import type { EncryptionContext, KeyService } from '../envelope/key-service.ts';
import type { RowOf } from './archive.ts';

/** Opens the second wrap of a data key. @throws SecretsError `decryption_failed` */
export type OpenRecovery = (recovery: Uint8Array, context: EncryptionContext) => Promise<Buffer>;

/** What a data key of a backup was wrapped for. */
export function contextOf({ org, environment, id }: RowOf<'data_key'>): EncryptionContext {
  return {
    org: org as OrganizationId,
    environment: environment as EnvironmentName | null,
    data_key: id,
  };
}

/**
 * The data key of a row: by the recovery key when there is one to open with, else by the root key. The caller
 * zeroes it.
 * @throws SecretsError `decryption_failed`, `unavailable`
 */
export async function unwrapRow(
  keyService: Pick<KeyService, 'unwrapDataKey'>,
  openRecovery: OpenRecovery | null,
  row: RowOf<'data_key'>,
): Promise<Buffer> {
  if (openRecovery === null)
    return keyService.unwrapDataKey(Buffer.from(row.wrapped, 'base64'), contextOf(row));
  if (row.recovery === null) throw decryptionFailed();
  return openRecovery(Buffer.from(row.recovery, 'base64'), contextOf(row));
}

/** The data keys of a backup, open for as long as it is looked through. */
export class OpenKeys implements Disposable {
  readonly #keys = new Map<string, DataKey>();

  add({ org, id }: RowOf<'data_key'>, secret: Buffer): void {
    this.#keys.set(`${org}/${id}`, new CachedKey(id, secret, Number.POSITIVE_INFINITY, 1).lend());
  }

  /** @throws SecretsError `decryption_failed` when there is none */
  get(org: string, id: string): DataKey {
    const key = this.#keys.get(`${org}/${id}`);
    if (key === undefined) throw decryptionFailed();
    return key;
  }

  [Symbol.dispose](): void {
    for (const { secret, recordKey } of this.#keys.values()) {
      secret.fill(0);
      recordKey.fill(0);
    }
  }
}
