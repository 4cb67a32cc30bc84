import type { Ask } from './load.ts';

/** How many secrets every contender holds, and what they are. */
export const SECRETS = 10_000;
export const VALUE = 'v'.repeat(1024);
/** How many references a config of the second work has, and how many such configs there are: each secret once. */
export const REFERENCES = 50;
const CONFIGS = SECRETS / REFERENCES;

export function nameOf(index: number): string {
  return `s${String(index).padStart(7, '0')}`;
}

/** A store of secrets that answers HTTP. */
export interface Contender {
  readonly name: string;
  url(): string;
  pid(): number;
  readonly headers: Readonly<Record<string, string>>;
  /** Reads of single secrets. */
  readonly reads: readonly Ask[];
  /** Reads of whole configs in one request; null where there is no such request. */
  readonly configs: readonly Ask[] | null;
  /** Writes of secrets, and of further versions of secrets that are there; `salt` makes their values new ones. */
  writes(salt: string): readonly Ask[];
  rotations(salt: string): readonly Ask[];
  readonly writeHeaders: Readonly<Record<string, string>>;
  /** Reads the metadata of every secret. */
  list(): Promise<number>;
  /** Stops it and starts it. @returns milliseconds from the start to the first value */
  restart(): Promise<number>;
  /** Waits until what it does after its answers is done. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** The numbers of secrets in an order that jumps about. */
export function scattered(count: number): number[] {
  return Array.from({ length: count }, (_, index) => (index * 7919) % SECRETS);
}

/** The secrets of each config: pipelines do not ask for a different set each time. */
export function configs(): string[][] {
  return Array.from({ length: CONFIGS }, (_, config) =>
    Array.from({ length: REFERENCES }, (__, at) => nameOf((at * CONFIGS + config) % SECRETS)),
  );
}

/** More than are written in one load, so that none is written twice. */
export const WRITES = 9000;

/** A value of the usual size that was not there before. */
export function newValue(salt: string, at: number): string {
  return `${salt} ${at} ${VALUE}`.slice(0, VALUE.length);
}
