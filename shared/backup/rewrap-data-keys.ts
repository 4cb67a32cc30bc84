import type { KeyService } from '../envelope/key-service.ts';
import type { ArchiveRow, ArchiveStore, RowOf } from './archive.ts';
import { contextOf, unwrapRow } from './open-keys.ts';

interface Needs {
  readonly archive: Pick<ArchiveStore, 'rows' | 'load'>;
  readonly keyService: Pick<KeyService, 'unwrapDataKey' | 'wrapDataKey'> & {
    /** Whether it is the newest root key that wrapped this. */
    isCurrent(wrapped: Uint8Array): boolean;
  };
}

/**
 * Wraps each data key that an older root key wrapped for the newest root key and the
 * recovery key. Secrets stay as they are. Interrupted, it is done again and goes on with those that are left.
 * @param apply else nothing is written
 * @returns how many data keys there are, and how many of them were to be wrapped anew
 * @throws SecretsError `decryption_failed` when one does not open; `unavailable`
 */
export async function rewrapDataKeys(
  { archive, keyService }: Needs,
  apply: boolean,
): Promise<{ readonly data_keys: number; readonly rewrapped: number }> {
  let data_keys = 0;
  let rewrapped = 0;
  for await (const row of dataKeys(archive.rows())) {
    data_keys += 1;
    if (keyService.isCurrent(Buffer.from(row.wrapped, 'base64'))) continue;
    rewrapped += 1;
    if (!apply) continue;
    const secret = await unwrapRow(keyService, null, row);
    try {
      const { wrapped, recovery } = await keyService.wrapDataKey(secret, contextOf(row));
      const second = recovery === null ? row.recovery : Buffer.from(recovery).toString('base64');
      await archive.load([{ ...row, wrapped: Buffer.from(wrapped).toString('base64'), recovery: second }]);
    } finally {
      secret.fill(0);
    }
  }
  return { data_keys, rewrapped };
}

/** They come first; what follows is not looked at. */
async function* dataKeys(rows: AsyncIterable<ArchiveRow>): AsyncGenerator<RowOf<'data_key'>> {
  for await (const row of rows) {
    if (row.kind !== 'data_key') return;
    yield row;
  }
}
