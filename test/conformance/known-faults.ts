import { it } from 'vitest';

/**
 * `it`, except for tests that what stands behind the port is known to fail: those must fail, so that a fault
 * which was mended is noticed too.
 */
export function faultyTest(faults: readonly string[]): (name: string, run: () => Promise<void>) => void {
  return (name, run) => {
    if (faults.includes(name)) it.fails(`${name} (known fault of the emulator)`, run);
    else it(name, run);
  };
}
