import { it } from 'vitest';

/** Tests that what stands behind a port is known to fail, by name. */
export type KnownFaults = Readonly<Record<string, 'always' | 'sometimes'>>;

/**
 * `it`, except for known faults: what always fails must fail, so that a fault which was mended is noticed too;
 * what fails sometimes is skipped.
 */
export function faultyTest(faults: KnownFaults): (name: string, run: () => Promise<void>) => void {
  return (name, run) => {
    switch (faults[name]) {
      case undefined:
        return it(name, run);
      case 'always':
        return it.fails(`${name} (known fault of the emulator)`, run);
      case 'sometimes':
        return it.skip(`${name} (unsteady fault of the emulator)`, run);
    }
  };
}
