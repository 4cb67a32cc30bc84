#!/usr/bin/env node
// Plain JavaScript, so that any Node can say which one it needs. Runs the built commands, which start several
// times faster, unless a source is newer than they are; then the source itself.
const { existsSync, readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');

const NEEDED = 24;
const root = join(__dirname, '..');
const built = join(root, 'dist', 'fm.cjs');
const sources = ['cli', 'cli/commands', 'cli/sources', 'client', 'functions', 'shared/contract'];

function isFresh() {
  if (!existsSync(built)) return false;
  const { mtimeMs } = statSync(built);
  return sources.every((folder) => {
    const path = join(root, folder);
    // The packed command brings no sources.
    if (!existsSync(path)) return true;
    return readdirSync(path).every((file) => statSync(join(path, file)).mtimeMs <= mtimeMs);
  });
}

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  process.stderr.write(
    `fm: Node ${NEEDED} or newer is needed, this is ${process.version}. From a checkout, npx fm brings its own.\n`,
  );
  process.exitCode = 1;
} else if (isFresh()) {
  require(built);
} else {
  void import(join(root, 'cli', 'all.ts'));
}
