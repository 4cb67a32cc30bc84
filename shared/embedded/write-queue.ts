import type { DatabaseSync } from 'node:sqlite';
import { SecretsError } from '../contract/errors.ts';

interface QueuedWrite {
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Writes that wait to be committed together. */
export class WriteQueue {
  #waiting: QueuedWrite[] = [];

  /** Puts a write in the queue. @param commit called once for the whole queue, soon */
  add<T>(run: () => T, commit: () => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(commit);
      this.#waiting.push({ run, resolve, reject });
    });
  }

  /**
   * Commits every waiting write in one transaction, each all or nothing by itself, and settles their promises.
   * @param execute runs a prepared statement without values
   * @returns whether anything was committed
   */
  commit(db: DatabaseSync, execute: (sql: string) => void): boolean {
    const writes = this.#waiting;
    this.#waiting = [];
    if (writes.length === 0) return false;
    const settle: (() => void)[] = [];
    try {
      execute('BEGIN IMMEDIATE');
      for (const write of writes) settle.push(attempt(write, execute));
      execute('COMMIT');
    } catch {
      if (db.isTransaction) db.exec('ROLLBACK');
      for (const { reject } of writes) reject(storeFailed());
      return false;
    }
    for (const acknowledge of settle) acknowledge();
    return true;
  }
}

/** Runs one write of a group; what it throws undoes it alone. */
function attempt({ run, resolve, reject }: QueuedWrite, execute: (sql: string) => void): () => void {
  execute('SAVEPOINT one');
  try {
    const value = run();
    execute('RELEASE one');
    return () => resolve(value as never);
  } catch (error) {
    execute('ROLLBACK TO one');
    execute('RELEASE one');
    return () => reject(error instanceof SecretsError ? error : storeFailed());
  }
}

/** The failure of a write that left nothing behind. */
export function storeFailed(): SecretsError {
  return new SecretsError('unavailable', 'The store could not write. Nothing was changed; try again.');
}
