import path from 'node:path';
import type { Environment } from './settings.ts';

/** Where the operating system keeps passwords for a user, by the tool that it brings. */
export interface Keychain {
  /** For people, for example `the login keychain`. */
  readonly name: string;
  /** @returns false when it did not take the key: it is locked, or nobody answers */
  save(account: string, key: string): boolean;
  /** The key of an account; undefined when it has none, or does not give it. */
  find(account: string): string | undefined;
}

const SERVICE = 'flowmason-fm';
// It may ask its user to unlock it.
const TIMEOUT_MS = 60_000;

/**
 * The keychain of this session; null where there is none. The key goes to the tool on its standard input and never in
 * an argument, which every user of the machine can read.
 */
export function keychainOf({ DBUS_SESSION_BUS_ADDRESS, FM_KEYCHAIN }: Environment): Keychain | null {
  if (FM_KEYCHAIN === 'off') return null;
  if (process.platform === 'darwin') return loginKeychain;
  return process.platform === 'linux' && DBUS_SESSION_BUS_ADDRESS !== undefined ? secretService : null;
}

/** A key is kept for one server and one profile: a file that names another server does not get it. */
export function accountOf(apiUrl: URL, profile: string): string {
  const { dir, name } = path.parse(profile);
  return `${apiUrl.href} ${path.basename(dir)}/${name}`;
}

const secretService: Keychain = {
  name: 'the Secret Service',
  save: (account, key) =>
    run('secret-tool', ['store', '--label=fm', ...attributes(account)], key) !== undefined &&
    secretService.find(account) === key,
  find: (account) => run('secret-tool', ['lookup', ...attributes(account)], '') || undefined,
};

function attributes(account: string): readonly string[] {
  return ['service', SERVICE, 'account', account];
}

const loginKeychain: Keychain = {
  name: 'the login keychain',
  save: (account, key) => {
    // Its commands come on standard input, with words in quotes.
    if (!/^[\w.-]+$/.test(key) || /["\\]/.test(account)) return false;
    const command = `add-generic-password -U -s "${SERVICE}" -a "${account}" -w "${key}"\n`;
    return run('security', ['-i'], command) !== undefined && loginKeychain.find(account) === key;
  },
  find: (account) => {
    const args = ['find-generic-password', '-s', SERVICE, '-a', account, '-w'];
    return run('security', args, '')?.replace(/\n$/, '') || undefined;
  },
};

/** @returns what it printed; undefined when there is no such tool, or it refused */
function run(tool: string, args: readonly string[], input: string): string | undefined {
  // Loaded here, for few commands come this way and each would wait for it.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const stdio: ['pipe', 'pipe', 'ignore'] = ['pipe', 'pipe', 'ignore'];
  const { status, stdout } = spawnSync(tool, args, { input, stdio, encoding: 'utf8', timeout: TIMEOUT_MS });
  return status === 0 ? stdout : undefined;
}
