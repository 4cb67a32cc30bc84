import type { KeyService } from '../envelope/key-service.ts';
import { ArchiveDigest, type ArchiveRow, type ArchiveStore, type End, type Header } from './archive.ts';

interface Needs {
  readonly archive: Pick<ArchiveStore, 'rows'>;
  readonly keyService: Pick<KeyService, 'sign' | 'publicKey'>;
  readonly now: () => Date;
}

/**
 * The whole store as lines of JSON, signed at the end: ciphertext, wrapped keys, the audit log. No value leaves
 * its envelope.
 * @param onRow told of each row, for progress
 * @throws SecretsError `unavailable`
 */
export async function* writeBackup(
  { archive, keyService, now }: Needs,
  onRow: (kind: ArchiveRow['kind']) => void = () => undefined,
): AsyncGenerator<string> {
  const digest = new ArchiveDigest();
  const publicKey = await keyService.publicKey();
  const header: Header = {
    kind: 'backup',
    of: 'flowmason-secrets',
    format: 1,
    created_at: now().toISOString(),
    public_key: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
  yield digest.add(JSON.stringify(header));
  for await (const row of archive.rows()) {
    digest.rows += 1;
    onRow(row.kind);
    yield digest.add(JSON.stringify(row));
  }
  const hex = digest.finish();
  const signature = Buffer.from(await keyService.sign('backup', Buffer.from(hex))).toString('base64');
  const end: End = { kind: 'end', rows: digest.rows, digest: hex, signature };
  yield `${JSON.stringify(end)}\n`;
}
