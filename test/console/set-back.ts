import { readFileSync } from 'node:fs';

/**
 * Loaded before a server by `node --import`, in each of its threads: sets its clock back by as many milliseconds
 * as the file FM_TEST_CLOCK says, so that what it records happened in the past.
 */
const RealDate = globalThis.Date;
const file = process.env['FM_TEST_CLOCK'] ?? '';
const EVERY_MS = 20;

let setBack = 0;
let readAt = 0;

/** By no timer: a busy thread's would be late, and its clock another than that of the others. */
function present(): number {
  const real = RealDate.now();
  if (real - readAt >= EVERY_MS) {
    setBack = Number(readFileSync(file, 'utf8'));
    readAt = real;
  }
  return real - setBack;
}

globalThis.Date = class extends RealDate {
  constructor(...parts: readonly [] | readonly [string | number | Date]) {
    const [at = present()] = parts;
    super(at);
  }

  static override now(): number {
    return present();
  }
} as DateConstructor;
