import type { KeyObject } from 'node:crypto';
import * as z from 'zod';
import { type ChainHead, recordHash } from './chain.ts';
import { type Checkpoint, openNote } from './checkpoint.ts';
import { type ExportBeginning, RECORD_BEGINS } from './export-lines.ts';
import { completeSubtrees } from './merkle.ts';
import { type BadRecord, ChainVerifier } from './verify-chain.ts';

/** What an export came to. */
export interface ExportVerification {
  readonly verified: boolean;
  readonly org: string;
  /** Records that stand before the export's first one. */
  readonly before: number;
  /** Records that were checked. */
  readonly events: number;
  readonly checkpoints: number;
  /** The last checkpoint: up to here a signature stands for every record; behind it only the chain does. */
  readonly signed: { readonly size: number; readonly time: string } | null;
  readonly first_bad?: BadRecord;
}

const NEWLINE = '\n';

interface Suspect {
  readonly hash: string;
  readonly bad: BadRecord;
}

const lineSchema = z.union([
  z.strictObject({
    export: z.strictObject({
      format: z.literal(1),
      org: z.string(),
      sequence: z.int().min(0),
      hash: z.string(),
      tree: z.array(z.base64().length(44)),
    }),
  }),
  z.strictObject({ checkpoint: z.string() }),
  z.strictObject({ end: z.strictObject({ sequence: z.int().min(0), hash: z.string().optional() }) }),
]);

/**
 * Checks an export line by line, in constant memory, and believes nothing but the key: each record's place in
 * the chain, each signed checkpoint against the tree over the records.
 */
export class ExportVerifier {
  readonly #key: KeyObject;
  readonly #kept: Checkpoint | null;
  #chain: ChainVerifier | null = null;
  #beginning: ExportBeginning | null = null;
  #checkpoints = 0;
  #signed: Checkpoint | null = null;
  #end: { readonly sequence: number; readonly hash?: string | undefined } | null = null;
  #bad: BadRecord | null = null;
  /**
   * The record at which it showed, where an earlier one was named for it. If the next record does not fit it
   * either, it is what was changed.
   */
  #suspect: Suspect | null = null;

  /**
   * @param key the log's public key, from where nobody who could change the export could change it
   * @param kept a checkpoint from before, kept apart: the log must hold all that it covered
   */
  constructor(key: KeyObject, kept: Checkpoint | null) {
    this.#key = key;
    this.#kept = kept;
  }

  /** @param line without its line break @returns false when what is wrong is known: nothing further is looked at */
  add(line: Uint8Array): boolean {
    if (this.#bad !== null) return this.#suspect !== null && !this.#tells(line, this.#suspect);
    this.#bad = this.#problemOf(line);
    return this.#bad === null || this.#suspect !== null;
  }

  /** Whether a line is a record, and so tells whether the suspect before it is what was changed. */
  #tells(line: Uint8Array, { hash, bad }: Suspect): boolean {
    const previous = previousOf(line);
    if (previous !== null && previous !== hash) this.#bad = bad;
    return previous !== null;
  }

  /** How many records were checked so far. */
  get events(): number {
    return this.#size - (this.#beginning?.sequence ?? 0);
  }

  end(): ExportVerification {
    this.#bad ??= this.#problemAtEnd();
    const counts = {
      org: this.#beginning?.org ?? '',
      before: this.#beginning?.sequence ?? 0,
      events: this.events,
      checkpoints: this.#checkpoints,
      signed: this.#signed === null ? null : { size: this.#signed.size, time: this.#signed.time },
    };
    return this.#bad === null
      ? { verified: true, ...counts }
      : { verified: false, ...counts, first_bad: this.#bad };
  }

  get #size(): number {
    return this.#chain?.size ?? 0;
  }

  #problemOf(line: Uint8Array): BadRecord | null {
    const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
    if (this.#end !== null) return this.#next('follows the end of the export');
    if (this.#chain !== null && text.subarray(0, RECORD_BEGINS.length).toString() === RECORD_BEGINS) {
      const sequence = this.#size + 1;
      const bad = this.#chain.add({ sequence, bytes: line }, null);
      if (bad !== null && bad.sequence < sequence)
        this.#suspect = { hash: recordHash(line), bad: { ...bad, sequence } };
      return bad ?? this.#compareKept();
    }
    const parsed = lineSchema.safeParse(jsonOf(text));
    if (!parsed.success)
      return this.#next(this.#chain === null ? 'has no beginning of an export before it' : 'was changed');
    if (this.#chain === null)
      return 'export' in parsed.data
        ? this.#begin(parsed.data.export)
        : this.#next('has no beginning of an export before it');
    if ('export' in parsed.data) return this.#next('stands behind the beginning of another export');
    if ('checkpoint' in parsed.data) return this.#addCheckpoint(parsed.data.checkpoint);
    this.#end = parsed.data.end;
    return null;
  }

  #begin(beginning: ExportBeginning): BadRecord | null {
    const { sequence, hash, tree } = beginning;
    const roots = tree.map((root) => Buffer.from(root, 'base64'));
    if (roots.length !== completeSubtrees(sequence).length)
      return { sequence: sequence + 1, reason: 'follows a beginning that was changed' };
    const head: ChainHead = { sequence, hash };
    this.#beginning = beginning;
    this.#chain = new ChainVerifier(head, roots);
    if (this.#kept !== null && this.#kept.size < sequence)
      return this.#next(
        `is where the export begins, behind the kept checkpoint of ${this.#kept.size} records: export from there on`,
      );
    return this.#compareKept();
  }

  #addCheckpoint(note: string): BadRecord | null {
    const checkpoint = openNote(note, this.#key);
    if (checkpoint === null || checkpoint.org !== this.#beginning?.org)
      return this.#next('follows a checkpoint that this key did not sign for this log');
    const { size } = checkpoint;
    if (size > this.#size) return this.#next('is missing, and a checkpoint covers it');
    if (size < this.#size || size <= (this.#signed?.size ?? -1))
      return this.#next('follows a checkpoint that stands in another place');
    const wrong = this.#chain?.agrees(checkpoint) ?? null;
    if (wrong !== null) {
      this.#suspect = { hash: this.#chain?.hash ?? '', bad: { sequence: size, reason: 'was changed' } };
      return wrong;
    }
    this.#signed = checkpoint;
    this.#checkpoints += 1;
    return null;
  }

  #compareKept(): BadRecord | null {
    if (this.#kept === null || this.#kept.size !== this.#size) return null;
    return this.#chain?.agrees(this.#kept) ?? null;
  }

  #problemAtEnd(): BadRecord | null {
    if (this.#chain === null) return this.#next('has no beginning of an export before it');
    if (this.#kept !== null && this.#kept.size > this.#size)
      return this.#next('is missing, and the kept checkpoint covers it');
    if (this.#end === null) return this.#next('is missing: the export was cut off');
    const { sequence, hash } = this.#end;
    if (sequence !== this.#size) return this.#next(sequence > this.#size ? 'is missing' : 'was added');
    const isLast = this.events === 0 || hash === this.#chain.hash;
    return isLast ? null : { sequence, reason: 'was changed' };
  }

  #next(reason: string): BadRecord {
    return { sequence: this.#size + 1, reason };
  }
}

/** The lines of a file, without their line breaks, in constant memory. Bytes, since a record's bytes are what was hashed. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    let block = Buffer.concat([rest, chunk]);
    for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE)) {
      yield block.subarray(0, at);
      block = block.subarray(at + 1);
    }
    rest = block;
  }
  if (rest.length > 0) yield rest;
}

/** What a record, or the end of the export, says of the record before it; null when the line is neither. */
function previousOf(line: Uint8Array): string | null {
  return (
    /"(?:previous|hash)":"([0-9a-f]{64})"(?:,"sequence":\d+|\})\}$/.exec(Buffer.from(line).toString())?.[1] ??
    null
  );
}

function jsonOf(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return null;
  }
}
