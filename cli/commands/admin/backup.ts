import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { readBackupFile, saveBackupFile } from '../../../shared/backup/backup-file.ts';
import { recordForAll } from '../../../shared/backup/record-admin.ts';
import { restoreBackup } from '../../../shared/backup/restore-backup.ts';
import { type BackupReport, verifyBackup } from '../../../shared/backup/verify-backup.ts';
import { writeBackup } from '../../../shared/backup/write-backup.ts';
import { localFailure } from '../../failure.ts';
import { printBlock } from '../../print.ts';
import type { Host } from '../../tools.ts';
import { onAws, refuseWithoutStore } from './store.ts';

interface ReadOptions {
  readonly identity?: string | undefined;
  readonly recoveryIdentity?: string | undefined;
  readonly publicKey?: string | undefined;
  readonly json?: true | undefined;
}

/** `fm admin backup …` and `fm admin restore`. */
export function addBackup(admin: Command, host: Host): void {
  const backup = admin
    .command('backup')
    .description('the whole store in one file: ciphertext and wrapped keys');
  backup
    .command('create')
    .argument('<file>')
    .description('write a new backup, while the server runs or not')
    .option('--recipient <age1…>', 'encrypt the file for this recipient of age; repeatable', collect, [])
    .option('--json', 'print JSON')
    .action(async (file, { recipient, json }) => {
      refuseWithoutStore(host);
      const { services } = await import('#services');
      // Before it is taken: who has it must not be able to say that nobody knew.
      await recordForAll(services, 'backup');
      let rows = 0;
      const lines = writeBackup(services, () => {
        rows += 1;
        if (rows % 1000 === 0) host.terminal.progress(`${rows} rows`);
      });
      const target = path.resolve(host.workingDirectory, file);
      await saveBackupFile(target, lines, recipient);
      if (json === true) return host.terminal.printJson({ file: target, rows });
      host.terminal.done(
        `${rows} rows are in ${target}. Keep the keyring or the recovery identity elsewhere.`,
      );
    });
  reading(backup.command('verify').argument('<file>'))
    .description('read a backup to its end; with a key, open everything in it')
    .option('--open', 'open every version by this machine’s keyring')
    .action(async (file, options) => {
      const keys = options.open === true ? (await import('#services')).services : noKeys;
      const opener = await openerOf(host, options);
      const lines = linesOf(host, file, options)();
      const open = options.open === true || opener !== null;
      const settings = {
        keyService: keys.keyService,
        openRecovery: opener,
        open,
        trusted: trusted(host, options),
      };
      const report = await verifyBackup(lines, settings);
      print(host, report, options);
      if (report.problems.length > 0) host.outcome.exitCode = 1;
    });
  reading(admin.command('restore').argument('<file>'))
    .description('fill an empty store from a backup, after reading it to its end')
    .option('--outputs <file>', 'into AWS: what cdk deploy --outputs-file wrote')
    .option('--keyring <file>', 'the keyring that opens data keys, when the store has another root key')
    .action(async (file, { outputs, keyring, ...options }) => {
      const services = outputs === undefined ? (await import('#services')).services : await onAws(outputs);
      const report = await restoreBackup(services, linesOf(host, file, options), {
        openRecovery: await openerOf(host, options),
        trusted: trusted(host, options),
        ...(keyring === undefined ? {} : { keyService: await keyringAt(host, keyring) }),
      });
      await recordForAll(services, 'restore_backup');
      print(host, report, options);
    });
}

/** @throws Failure when there is none: another one must not be made in its place */
async function keyringAt(host: Host, file: string) {
  readText(host, file);
  const { Keyring } = await import('../../../shared/embedded/keyring.ts');
  return Keyring.open(path.resolve(host.workingDirectory, file), true, null);
}

function reading(command: Command<[string]>) {
  return command
    .option('--identity <file>', 'the identity of age that opens the file')
    .option(
      '--recovery-identity <file>',
      'the identity of age that opens data keys, when the keyring is gone',
    )
    .option('--public-key <file>', 'the PEM of the key that must have signed it')
    .option('--json', 'print JSON');
}

/** For who has the file alone. */
const noKeys = {
  keyService: { unwrapDataKey: () => Promise.reject(new TypeError('there is no root key here')) },
};

function linesOf(host: Host, file: string, { identity }: ReadOptions) {
  const source = path.resolve(host.workingDirectory, file);
  const key = identity === undefined ? null : readIdentity(host, identity);
  return () => readBackupFile(source, key);
}

async function openerOf(host: Host, { recoveryIdentity }: ReadOptions) {
  if (recoveryIdentity === undefined) return null;
  const { recoveryBy } = await import('../../../shared/backup/recovery.ts');
  return recoveryBy(readIdentity(host, recoveryIdentity));
}

function trusted(host: Host, { publicKey }: ReadOptions) {
  return publicKey === undefined ? null : createPublicKey(readText(host, publicKey));
}

/** The identity in a file as age-keygen writes it. */
function readIdentity(host: Host, file: string): string {
  const line = readText(host, file)
    .split('\n')
    .find((text) => text.startsWith('AGE-SECRET-KEY-'));
  if (line !== undefined) return line.trim();
  throw localFailure('no-identity', 'There is no identity', `${file} holds no AGE-SECRET-KEY-1….`);
}

function readText(host: Host, file: string): string {
  try {
    return readFileSync(path.resolve(host.workingDirectory, file), 'utf8');
  } catch {
    throw localFailure('no-file', 'The file cannot be read', `${file} is missing or not yours to read.`);
  }
}

function print({ terminal }: Host, report: BackupReport, { json }: ReadOptions): void {
  if (json === true) {
    terminal.printJson(report);
    return;
  }
  const { counts, problems } = report;
  printBlock(terminal, [
    ['created_at', report.created_at],
    ['organizations', String(counts.organization)],
    ['secrets', String(counts.secret)],
    ['versions', `${counts.version}, ${report.opened} opened`],
    ['data_keys', `${counts.data_key}, ${report.without_recovery} without a second wrap`],
    ['audit_records', `${counts.audit_record}, ${counts.checkpoint} checkpoints`],
    ['api_keys', String(counts.api_key)],
    ['runs', String(counts.run)],
    ['problems', problems.length === 0 ? 'none' : ''],
  ]);
  for (const problem of problems) terminal.print(`  ${problem}`);
}

function collect(recipient: string, before: string[]): string[] {
  return [...before, recipient];
}
