import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { CheckpointStore } from '../audit/checkpoint-store.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { Deadline } from './deadline.ts';
import { nameOf, toFailure } from './failures.ts';

const DIGITS = 16;
/** No size is larger. */
const LARGEST = Number.MAX_SAFE_INTEGER;
/** Another one was first: If-None-Match, alone or at the same time. */
const TAKEN = ['PreconditionFailed', 'ConditionalRequestConflict'];

/**
 * Checkpoints and tiles in an S3 bucket with Object Lock: `<org>/checkpoint/<size>`, and `<org>/tile/…` as C2SP's
 * tlog-tiles has them. A bucket lists forwards only, so `<org>/latest/<2^53 − 1 − size>` is an empty object for
 * each checkpoint: the first of those belongs to the largest.
 */
export class CheckpointBucket implements CheckpointStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(bucket: string, client: S3Client = new S3Client()) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async latest(org: OrganizationId): Promise<string | null> {
    const [name] = await this.#names(`${org}/latest/`, undefined, 1);
    return name === undefined ? null : this.#note(org, LARGEST - Number(name));
  }

  async list(org: OrganizationId, afterSize: number, limit: number): Promise<readonly string[]> {
    const names = await this.#names(`${org}/checkpoint/`, padded(afterSize), limit);
    const notes = await Promise.all(names.map((name) => this.#note(org, Number(name))));
    return notes.filter((note) => note !== null);
  }

  async add(org: OrganizationId, size: number, note: string): Promise<void> {
    await this.#keep(`${org}/checkpoint/${padded(size)}`, Buffer.from(note));
    await this.#keep(`${org}/latest/${padded(LARGEST - size)}`, Buffer.alloc(0));
  }

  async readTile(org: OrganizationId, path: string): Promise<Buffer | null> {
    return this.#read(`${org}/${path}`);
  }

  async addTile(org: OrganizationId, path: string, bytes: Buffer): Promise<void> {
    await this.#keep(`${org}/${path}`, bytes);
  }

  async #note(org: OrganizationId, size: number): Promise<string | null> {
    return (await this.#read(`${org}/checkpoint/${padded(size)}`))?.toString() ?? null;
  }

  /** The last parts of the names below a prefix, in order. */
  async #names(prefix: string, after: string | undefined, limit: number): Promise<string[]> {
    const names: string[] = [];
    for (let last = after; ; last = names.at(-1)) {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        MaxKeys: limit - names.length,
        ...(last === undefined ? {} : { StartAfter: prefix + last }),
      });
      const page = await this.#send((options) => this.#client.send(command, options));
      names.push(...(page?.Contents ?? []).map(({ Key = '' }) => Key.slice(prefix.length)));
      if (page?.IsTruncated !== true || names.length >= limit) return names;
    }
  }

  async #read(key: string): Promise<Buffer | null> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    const found = await this.#send((options) => this.#client.send(command, options), ['NoSuchKey']);
    const bytes = await found?.Body?.transformToByteArray();
    return bytes === undefined ? null : Buffer.from(bytes);
  }

  /** Writes an object unless there is one. */
  async #keep(key: string, Body: Buffer): Promise<void> {
    const command = new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body, IfNoneMatch: '*' });
    await this.#send((options) => this.#client.send(command, options), TAKEN);
  }

  /** @returns null for the failures that are an answer @throws SecretsError `unavailable` for the others */
  async #send<T>(
    send: (options: { abortSignal: AbortSignal }) => Promise<T>,
    answers: readonly string[] = [],
  ): Promise<T | null> {
    try {
      return await send({ abortSignal: new Deadline().signal });
    } catch (error) {
      if (answers.includes(nameOf(error))) return null;
      throw toFailure(error);
    }
  }
}

function padded(size: number): string {
  return String(size).padStart(DIGITS, '0');
}
