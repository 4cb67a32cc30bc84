import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { SecretsError } from '../contract/errors.ts';
import { syncFolder } from './files.ts';
import { migrations } from './schema.ts';

interface QueuedWrite {
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

const BUSY_TIMEOUT_MS = 5000;

/**
 * The store's file. Reads run at once; writes wait for their turn and are committed in groups, so that the
 * sync which makes them durable is shared by all requests of a moment. A write's promise settles after the
 * sync: what it acknowledges survives a power cut.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #queue: QueuedWrite[] = [];
  #closed = false;
  /** Called after each group of writes that was committed. */
  onCommit: () => void = () => undefined;

  /** Opens the file, making or migrating it. @throws SecretsError `unavailable` when it is of a newer version */
  constructor(path: string) {
    const isNew = !existsSync(path);
    this.#db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
    this.#migrate();
    if (isNew) syncFolder(dirname(path));
  }

  /** One row, or undefined. */
  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  /** All rows. */
  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  /** Runs a statement of a write and tells how many rows it changed. Only within {@link write}. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /**
   * Carries out a write, all of it or nothing, durably.
   * @param run synchronous statements; what it throws undoes this write alone, not its group
   * @throws SecretsError `unavailable` when it could not be made durable; else what `run` throws
   */
  write<T>(run: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(storeFailed());
    return new Promise<T>((resolve, reject) => {
      if (this.#queue.length === 0) setImmediate(() => this.#commitQueue());
      this.#queue.push({ run, resolve, reject });
    });
  }

  /** Commits what waits and closes the file. */
  close(): void {
    if (this.#closed) return;
    this.#commitQueue();
    this.#closed = true;
    this.#statements.clear();
    this.#db.close();
  }

  #commitQueue(): void {
    const writes = this.#queue;
    this.#queue = [];
    if (writes.length === 0) return;
    const settle: (() => void)[] = [];
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const write of writes) settle.push(this.#attempt(write));
      this.#db.exec('COMMIT');
    } catch {
      this.#rollback();
      for (const { reject } of writes) reject(storeFailed());
      return;
    }
    for (const acknowledge of settle) acknowledge();
    this.onCommit();
  }

  /** Runs one write of a group; what it throws undoes it alone. */
  #attempt({ run, resolve, reject }: QueuedWrite): () => void {
    this.#db.exec('SAVEPOINT one');
    try {
      const value = run();
      this.#db.exec('RELEASE one');
      return () => resolve(value as never);
    } catch (error) {
      this.#db.exec('ROLLBACK TO one; RELEASE one');
      return () => reject(error instanceof SecretsError ? error : storeFailed());
    }
  }

  #rollback(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #migrate(): void {
    const taken = (this.#db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
    if (taken > migrations.length) {
      throw new SecretsError(
        'unavailable',
        'The store was written by a newer version of FlowMason Secrets. Upgrade.',
      );
    }
    migrations.slice(taken).forEach((migration, index) => {
      const step = taken + index + 1;
      this.#db.exec(`BEGIN IMMEDIATE; ${migration}; PRAGMA user_version = ${step}; COMMIT`);
    });
  }
}

/** What SQLite stores. */
export type Value = string | number | null | Uint8Array;

function storeFailed(): SecretsError {
  return new SecretsError('unavailable', 'The store could not write. Nothing was changed; try again.');
}
