import type { AuditAction } from '../contract/audit.ts';
import { type OutboxEvent, readRecordBytes, type StoredRecord } from './chain.ts';
import type { AuditEvent } from './event.ts';

/** Something that records can be looked up by, for example `['run', 'run_abc123']`; `['all', '']` is every record. */
export type Facet = readonly [facet: string, value: string];

/**
 * One row of the log's index: records of one facet that were appended together and happened in one second of
 * the clock. A row a batch and not a row a record: a busy pipeline names the same fifty secrets in every run,
 * and each row is a write that somebody pays for.
 */
export interface IndexBlock {
  readonly facet: Facet;
  /** When the newest of them happened. With `first_sequence` it identifies the block within its facet. */
  readonly last_timestamp: string;
  readonly first_sequence: number;
  /** Ascending. */
  readonly sequences: readonly number[];
  /**
   * The hash of the last of them as the recorder made it. Where another one was first, the log holds another record
   * there, and the block tells nothing. A store that writes blocks with their records need not keep it.
   */
  readonly last_hash?: string;
}

/** What to look for. */
export interface LogFilter {
  readonly secret_name?: string | undefined;
  readonly pipeline_id?: string | undefined;
  readonly run_id?: string | undefined;
  readonly user?: string | undefined;
  readonly action?: AuditAction | undefined;
  readonly outcome?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** The index rows of records that are appended together. */
export function indexBlocks(records: readonly StoredRecord[], events: readonly OutboxEvent[]): IndexBlock[] {
  const blocks = new Map<
    string,
    IndexBlock & { sequences: number[]; last_timestamp: string; last_hash: string }
  >();
  records.forEach(({ sequence, hash }, index) => {
    const event = events[index]?.event;
    if (event === undefined) return;
    const { timestamp: last_timestamp } = event;
    for (const facet of facetsOf(event)) {
      const key = `${facet[0]} ${secondOf(last_timestamp)} ${facet[1]}`;
      const block = blocks.get(key);
      if (block === undefined) {
        const first = { facet, last_timestamp, first_sequence: sequence };
        blocks.set(key, { ...first, sequences: [sequence], last_hash: hash });
      } else if (block.sequences.at(-1) !== sequence) {
        block.sequences.push(sequence);
        block.last_hash = hash;
        if (last_timestamp > block.last_timestamp) block.last_timestamp = last_timestamp;
      }
    }
  });
  return [...blocks.values()];
}

/** The last moment of the second that a moment is in: no block that holds it ends later. */
export function endOfSecond(timestamp: string): string {
  return `${secondOf(timestamp)}.999Z`;
}

function secondOf(timestamp: string): string {
  return timestamp.slice(0, '2026-01-31T12:00:00'.length);
}

/** All that an event's record is looked up by, some perhaps twice. */
function facetsOf(event: AuditEvent): Facet[] {
  const optional: [string, string | undefined][] = [
    ['run', event.run_id],
    ['pipeline', event.pipeline_id],
    ['user', event.user],
    ['action', event.action],
    ['outcome', event.outcome],
  ];
  return [
    ['all', ''],
    ...event.secrets.map(({ name }) => ['secret', name] as const),
    // What is rare among the resolves of a secret, which are many and mostly what is not asked for.
    ...(event.action === 'access'
      ? []
      : event.secrets.map(({ name }) => ['secret-action', `${name} ${event.action}`] as const)),
    ...optional.flatMap(([facet, value]) => (value === undefined ? [] : [[facet, value] as const])),
  ];
}

/** All that records are looked up by, each once. */
export function facetsOfAll(records: readonly StoredRecord[]): Facet[] {
  const facets = records.flatMap(({ bytes }) => facetsOf(readRecordBytes(bytes).event));
  return [...new Map(facets.map((facet) => [facet.join(' '), facet])).values()];
}

/** The facet of a filter that leaves the fewest records, as a rule; the others are checked on what it finds. */
export function narrowestFacet(filter: LogFilter): Facet {
  const { run_id, secret_name, user, pipeline_id, action, outcome } = filter;
  if (run_id !== undefined) return ['run', run_id];
  if (secret_name !== undefined && action !== undefined && action !== 'access')
    return ['secret-action', `${secret_name} ${action}`];
  if (secret_name !== undefined) return ['secret', secret_name];
  if (user !== undefined) return ['user', user];
  if (pipeline_id !== undefined) return ['pipeline', pipeline_id];
  if (action !== undefined) return ['action', action];
  if (outcome !== undefined) return ['outcome', outcome];
  return ['all', ''];
}

/** Whether an event is what a filter looks for. */
export function matchesFilter(filter: LogFilter, event: AuditEvent): boolean {
  const { run_id, secret_name, user, pipeline_id, action, outcome, from, to } = filter;
  return (
    (run_id === undefined || event.run_id === run_id) &&
    (secret_name === undefined || event.secrets.some(({ name }) => name === secret_name)) &&
    (user === undefined || event.user === user) &&
    (pipeline_id === undefined || event.pipeline_id === pipeline_id) &&
    (action === undefined || event.action === action) &&
    (outcome === undefined || event.outcome === outcome) &&
    (from === undefined || event.timestamp >= from) &&
    (to === undefined || event.timestamp <= to)
  );
}
