/**
 * Loaded before a server by `node --import`: sets its clock back by FM_TEST_SET_BACK milliseconds, so that what
 * it records happened in the past.
 */
const RealDate = globalThis.Date;
const setBack = Number(process.env['FM_TEST_SET_BACK'] ?? 0);

globalThis.Date = class extends RealDate {
  constructor(...parts: readonly [] | readonly [string | number | Date]) {
    const [at = RealDate.now() - setBack] = parts;
    super(at);
  }

  static override now(): number {
    return RealDate.now() - setBack;
  }
} as DateConstructor;
