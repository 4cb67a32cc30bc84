import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { SecretsError } from '../contract/errors.ts';

/**
 * Writes a backup to a new file (0600), whole or not at all; synced before it has its name.
 * @param recipients of age (`age1…`); without one the file is as the store is: ciphertext, and metadata in clear
 * @throws SecretsError `validation` when something is there already or a recipient is none
 */
export async function saveBackupFile(
  path: string,
  lines: AsyncIterable<string>,
  recipients: readonly string[],
): Promise<void> {
  const partial = `${path}.partial`;
  // Its name is taken now, so that nothing that is there already is written over.
  const name = await open(path, 'wx', 0o600).catch(() => {
    throw new SecretsError('validation', `${path} is there already, or its folder is not. Name a new file.`);
  });
  try {
    const content = recipients.length === 0 ? Readable.from(lines) : await encrypted(lines, recipients);
    await pipeline(content, createWriteStream(partial, { mode: 0o600, flush: true }));
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(partial, { force: true });
    await rm(path, { force: true });
    throw error;
  } finally {
    await name.close();
  }
}

/**
 * The lines of a backup file.
 * @param identity of age (`AGE-SECRET-KEY-1…`), for a file that was encrypted
 */
export async function* readBackupFile(path: string, identity: string | null): AsyncGenerator<string> {
  const file = createReadStream(path);
  yield* createInterface({ input: identity === null ? file : await decrypted(file, identity) });
}

async function encrypted(lines: AsyncIterable<string>, recipients: readonly string[]): Promise<Readable> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  try {
    for (const recipient of recipients) encrypter.addRecipient(recipient);
  } catch {
    throw new SecretsError('validation', 'A recipient is not one of age (age1…).');
  }
  const clear = Readable.toWeb(Readable.from(asBytes(lines)));
  return fromWeb(await encrypter.encrypt(clear as never));
}

async function decrypted(file: Readable, identity: string): Promise<Readable> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity);
    return fromWeb(await decrypter.decrypt(Readable.toWeb(file) as never));
  } catch {
    // age's own message may quote the identity.
    throw new SecretsError('validation', 'The file does not open with this identity of age.');
  }
}

function fromWeb(stream: unknown): Readable {
  return Readable.fromWeb(stream as ReadableStream<Uint8Array>);
}

async function* asBytes(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const line of lines) yield Buffer.from(line);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync();
  await folder.close();
}
