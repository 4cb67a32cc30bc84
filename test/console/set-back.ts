import { readFileSync } from 'node:fs';

/**
 * Loaded before a server by `node --import`, in each of its threads: sets its clock back by as many milliseconds
 * as the file FM_TEST_CLOCK says, so that what it records happened in the past.
 */
const RealDate = globalThis.Date;
const file = process.env['FM_TEST_CLOCK'] ?? '';
const EVERY_MS = 20;

let setBack = read();
setInterval(() => {
  setBack = read();
}, EVERY_MS).unref();

function read(): number {
  return Number(readFileSync(file, 'utf8'));
}

globalThis.Date = class extends RealDate {
  constructor(...parts: readonly [] | readonly [string | number | Date]) {
    const [at = RealDate.now() - setBack] = parts;
    super(at);
  }

  static override now(): number {
    return RealDate.now() - setBack;
  }
} as DateConstructor;
