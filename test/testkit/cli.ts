import { spawn } from 'node:child_process';
import { environmentOf } from './server.ts';

/** How a run of `fm` ended. */
export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `fm` as a process of its own, without a terminal. */
export function runFm(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  input = '',
): Promise<CliRun> {
  return runCommand(process.execPath, ['cli/fm.cjs', ...args], settings, input);
}

/** Runs a command line in a shell, as a reader of a page would type it. */
export function runLine(line: string, settings: Readonly<Record<string, string>>): Promise<CliRun> {
  return runCommand('sh', ['-c', line], settings, '');
}

function runCommand(
  command: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  input: string,
): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: environmentOf({ XDG_CONFIG_HOME: '/nonexistent', FM_KEYCHAIN: 'off', ...settings }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}
