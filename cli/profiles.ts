import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { usageFailure } from './failure.ts';
import type { Environment } from './settings.ts';

/** The file of a profile; without a name the one that is taken when nothing else names a server. */
export function profileFile({ XDG_CONFIG_HOME }: Environment, name: string | undefined): string {
  const folder = path.join(XDG_CONFIG_HOME ?? path.join(homedir(), '.config'), 'flowmason');
  if (name === undefined) return path.join(folder, 'profile.json');
  // It becomes the name of a file.
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(name))
    throw usageFailure('The name of a profile is letters, digits, _ and -.');
  return path.join(folder, 'profiles', `${name}.json`);
}

/**
 * Writes a profile whole, for its owner alone: never is there a moment in which others can read it.
 * @param apiKey null when a keychain has it
 */
export function saveProfile(file: string, apiUrl: URL, apiKey: string | null): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.${process.pid}`;
  const descriptor = openSync(beside, 'wx', 0o600);
  try {
    const key = apiKey === null ? { keychain: true } : { api_key: apiKey };
    writeSync(descriptor, `${JSON.stringify({ api_url: apiUrl.href, ...key }, null, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(beside, file);
}
