import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { SecretsError } from '../contract/errors.ts';
import { syncFolder } from './files.ts';
import { migrations } from './schema.ts';
import { alone, type Turns } from './turns.ts';
import { type Outcome, storeFailed, WriteQueue } from './write-queue.ts';

const BUSY_TIMEOUT_MS = 5000;
const BUSY_RETRY_MS = 1;
const CACHE_KIB = 32_768;
/** Pages of the log after which whoever writes waits until it begins anew: 64 MB. */
const LONG_LOG = 16_384;

/**
 * A connection to the store's file. Reads run at once; writes wait for their turn and are committed in groups,
 * so that the sync which makes them durable is shared by all requests of a moment. A write's promise settles
 * after the sync: what it acknowledges survives a power cut. While another connection writes, they wait without
 * holding up their thread.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #durable = new WriteQueue();
  readonly #derived = new WriteQueue();
  #closed = false;
  /** Since when another connection has kept the writes of this one waiting. */
  #busySince: number | null = null;
  /** Called after each group of durable writes that was committed. */
  onCommit: () => void = () => undefined;
  /** How this connection takes turns with the one of another thread. */
  turns: Turns = alone;

  readonly #path: string;

  /** Opens the file, making or migrating it. @throws SecretsError `unavailable` when it is of a newer version */
  constructor(path: string) {
    this.#path = path;
    const isNew = !existsSync(path);
    this.#db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${CACHE_KIB}`);
    this.#db.exec('PRAGMA secure_delete = FAST; PRAGMA wal_autocheckpoint = 0');
    this.#migrate();
    if (isNew) syncFolder(dirname(path));
    // From here on nothing waits within SQLite, where it would hold up every request of this thread.
    this.#db.exec('PRAGMA busy_timeout = 0');
  }

  /** One row, or undefined. */
  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  /** All rows. */
  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  /** Runs a statement of a write and tells how many rows it changed. Only within a write. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /** Runs a statement of a write that deletes, and overwrites with zeros what it deleted. */
  erase(sql: string, ...values: Value[]): number {
    // Not always: each event that leaves the outbox would be overwritten too, and nothing in it is secret.
    this.#db.exec('PRAGMA secure_delete = ON');
    try {
      return this.run(sql, ...values);
    } finally {
      this.#db.exec('PRAGMA secure_delete = FAST');
    }
  }

  /**
   * Carries out a write, all of it or nothing, durably.
   * @param run synchronous statements; what it throws undoes this write alone, not its group
   * @throws SecretsError `unavailable` when it could not be made durable; else what `run` throws
   */
  write<T>(run: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(storeFailed());
    return this.#durable.add(run, () => this.#commitDurable());
  }

  /**
   * Carries out a write that could be made again from durable ones, without a sync of its own. After a power
   * cut it is there with everything that this file got before it, or not at all: commits keep their order.
   */
  writeDerived<T>(run: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(storeFailed());
    return this.#derived.add(run, () => this.#commitDerived());
  }

  /**
   * Moves what the log holds into the file itself, and lets the log begin anew when it grew long. Takes
   * milliseconds: not for a thread that answers requests.
   */
  checkpoint(): void {
    const log = this.get<{ log: number }>('PRAGMA wal_checkpoint(PASSIVE)')?.log ?? 0;
    if (log > LONG_LOG) this.get('PRAGMA wal_checkpoint(RESTART)');
  }

  /** The store as it is now, on a connection of its own: writes go on beside it and are not seen. Dispose of it. */
  snapshot(): Snapshot {
    const db = new DatabaseSync(this.#path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    // The first read fixes the moment.
    db.exec('BEGIN; SELECT count(*) FROM organizations');
    return {
      rows: <Row>(sql: string) => db.prepare(sql).iterate() as IterableIterator<Row>,
      [Symbol.dispose]: () => db.close(),
    };
  }

  /** Commits what waits and closes the file. */
  close(): void {
    if (this.#closed) return;
    this.#db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    this.onCommit = () => undefined;
    this.#commitDerived();
    this.#commitDurable();
    this.#closed = true;
    for (const queue of [this.#derived, this.#durable]) queue.fail();
    this.#statements.clear();
    this.#db.close();
  }

  #commitDurable(): void {
    if (this.#closed) return;
    const outcome = this.#durable.commit(this.#db, this.#execute);
    if (this.#comesAgain(outcome, this.#durable, () => this.#commitDurable())) return;
    if (outcome === 'committed') this.onCommit();
  }

  #commitDerived(): void {
    if (this.#closed) return;
    this.turns.giveWay();
    this.#db.exec('PRAGMA synchronous = NORMAL');
    const outcome = this.#derived.commit(this.#db, this.#execute);
    this.#db.exec('PRAGMA synchronous = FULL');
    this.#comesAgain(outcome, this.#derived, () => this.#commitDerived());
  }

  /** Whether a commit found another connection writing and comes again; too often, and its writes are refused. */
  #comesAgain(outcome: Outcome, queue: WriteQueue, commit: () => void): boolean {
    if (outcome !== 'busy') {
      this.#busySince = null;
      this.turns.release();
      return false;
    }
    this.turns.claim();
    this.#busySince ??= performance.now();
    if (performance.now() - this.#busySince <= BUSY_TIMEOUT_MS) setTimeout(commit, BUSY_RETRY_MS);
    else {
      queue.fail();
      this.turns.release();
    }
    return true;
  }

  readonly #execute = (sql: string): void => {
    this.#statement(sql).run();
  };

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

export interface Snapshot extends Disposable {
  /** Rows one after the other, however many. */
  rows<Row>(sql: string): IterableIterator<Row>;
}

/** What SQLite stores. */
export type Value = string | number | null | Uint8Array;
