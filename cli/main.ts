/** The process that `fm` runs in: hands over what belongs to it, and ends with a code. */

import type { Family } from './program.ts';
import { runCli } from './program.ts';
import { parseEnvironment } from './settings.ts';

/** Runs the command line of this process with the commands of these families. */
export async function main(families: readonly Family[]): Promise<void> {
  // Whoever reads the output may leave early (`fm secrets list | head`); that is no failure.
  process.stdout.on('error', () => process.exit(0));
  process.exitCode = await runCli(
    process.argv.slice(2),
    {
      // Not yet opened: most commands never read it.
      get stdin() {
        return process.stdin;
      },
      stdout: process.stdout,
      stderr: process.stderr,
      workingDirectory: process.cwd(),
      environment: parseEnvironment(process.env),
      inherited: () => {
        const { FM_API_KEY: _key, FM_RUN_TOKEN: _token, FM_RESOLVE_KEY: _reader, ...others } = process.env;
        return others;
      },
    },
    families,
  );
}
