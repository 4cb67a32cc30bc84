import { it } from 'vitest';

/** Tests that what stands behind a port is known to fail, by name; for those that fail in some runs only, why. */
export type KnownFaults = Readonly<Record<string, 'always' | { readonly sometimes: string }>>;

/**
 * `it`, except for known faults: what always fails must fail, so that a fault which was mended is noticed too;
 * what fails in some runs only can neither pass nor fail, and is skipped with its reason in its name. Such a test runs
 * on every other implementation of the port.
 */
export function faultyTest(faults: KnownFaults): (name: string, run: () => Promise<void>) => void {
  return (name, run) => {
    const fault = faults[name];
    if (fault === undefined) return it(name, run);
    if (fault === 'always') return it.fails(`${name} (known fault of the emulator)`, run);
    return it.skip(`${name} (unsteady fault of the emulator: ${fault.sometimes})`, run);
  };
}
