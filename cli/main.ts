#!/usr/bin/env node
/** The `fm` command: checks the Node it runs on, hands over what belongs to the process, and ends with a code. */

const NEEDED = 24;

// Everything else is imported after this check: an older Node would stop at the imports with a stack of its own.
if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  process.stderr.write(
    `fm: Node ${NEEDED} or newer is needed, this is ${process.version}. From a checkout, npx fm brings its own.\n`,
  );
  process.exitCode = 1;
} else {
  const { runCli } = await import('./program.ts');
  const { parseEnvironment } = await import('./settings.ts');
  // Whoever reads the output may leave early (`fm secrets list | head`); that is no failure.
  process.stdout.on('error', () => process.exit(0));
  process.exitCode = await runCli(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    workingDirectory: process.cwd(),
    environment: parseEnvironment(process.env),
  });
}
