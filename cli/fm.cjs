#!/usr/bin/env node
// Plain JavaScript, so that any Node can say which one it needs. Runs the built commands, which start several
// times faster, unless one of their sources is newer; then the source itself.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const NEEDED = 24;
const built = join(__dirname, '..', 'dist', 'fm.cjs');

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  process.stderr.write(
    `fm: Node ${NEEDED} or newer is needed, this is ${process.version}. From a checkout, npx fm brings its own.\n`,
  );
  process.exitCode = 1;
} else if (!existsSync(built) || !require(built)) {
  void import(join(__dirname, 'all.ts'));
}
