import type { Host } from '../tools.ts';
import type { Value } from '../value.ts';

/** A secret as another store holds it. */
export interface Entry {
  /** What it is called there. */
  readonly origin: string;
  /** What it shall be called here; made of the origin. */
  readonly name: string;
  readonly value: Value;
  readonly description?: string | undefined;
  readonly metadata?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  readonly rotation_days?: number | undefined;
  /** Only an export of our own says where each belongs. */
  readonly at?: {
    readonly scope: 'org' | 'pipeline' | 'user';
    readonly pipeline_id: string | null;
    readonly user: string | null;
    readonly environment: string | null;
  };
}

/** What a source is told. */
export interface SourceOptions {
  readonly prefix?: string | undefined;
  readonly region?: string | undefined;
  readonly mount?: string | undefined;
  readonly org?: string | undefined;
}

/**
 * Reads all secrets of a source.
 * @param from a file, a folder, or the path within a store
 * @throws Failure that quotes no value
 */
export type Source = (
  host: Host,
  from: string | undefined,
  options: SourceOptions,
) => Promise<readonly Entry[]>;

const LONGEST_NAME = 128;

/** A name of ours: what a name cannot hold becomes `_`, and it begins with a letter. */
export function nameFrom(origin: string): string {
  const name = origin.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^[^A-Za-z]+/, '');
  return name.slice(0, LONGEST_NAME);
}

/** The entry of a name and a text; what is no text in the source is written as JSON. */
export function entryOf(origin: string, value: unknown, more: Partial<Entry> = {}): Entry {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { origin, name: nameFrom(origin), value: { value: text, encoding: 'utf8' }, ...more };
}
