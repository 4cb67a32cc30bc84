import { closeSync, fsyncSync, openSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SecretsError } from '../contract/errors.ts';

/**
 * Writes a private file (0600) so that after a power cut there is the whole new one or the old one, never a part.
 */
export function writePrivateFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Makes a rename or a new file in a folder durable. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Refuses a file that others on this machine may read. @throws SecretsError `unavailable` with the command that mends it */
export function refuseSharedFile(path: string): void {
  if ((statSync(path).mode & 0o077) === 0) return;
  throw new SecretsError(
    'unavailable',
    `${path} can be read by others on this machine. Run: chmod 600 ${path}`,
  );
}
