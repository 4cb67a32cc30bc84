import type { DatabaseSync } from 'node:sqlite';
import { SecretsError } from '../contract/errors.ts';

interface QueuedWrite {
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs a prepared statement without values. */
type Execute = (sql: string) => void;
type Acknowledge = () => void;

/** What became of a group of writes. `busy`: another connection writes now, and all of them wait still. */
export type Outcome = 'committed' | 'failed' | 'busy';

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

  /** Commits every waiting write in one transaction, each all or nothing by itself, and settles their promises. */
  commit(db: DatabaseSync, execute: Execute): Outcome {
    if (this.#waiting.length === 0) return 'committed';
    try {
      execute('BEGIN IMMEDIATE');
    } catch (error) {
      return isBusy(error) ? 'busy' : this.fail();
    }
    const writes = this.#take();
    let settle: Acknowledge[];
    try {
      settle = attemptAll(writes, execute);
      execute('COMMIT');
    } catch {
      if (db.isTransaction) db.exec('ROLLBACK');
      for (const { reject } of writes) reject(storeFailed());
      return 'failed';
    }
    for (const acknowledge of settle) acknowledge();
    return 'committed';
  }

  /** Refuses every waiting write. */
  fail(): Outcome {
    for (const { reject } of this.#take()) reject(storeFailed());
    return 'failed';
  }

  #take(): QueuedWrite[] {
    const writes = this.#waiting;
    this.#waiting = [];
    return writes;
  }
}

/**
 * Runs a group's writes one behind the other. Only when one of them throws are they run anew, each within a
 * savepoint of its own: that costs a request more than its own record does, and hardly any group needs it.
 */
function attemptAll(writes: readonly QueuedWrite[], execute: Execute): Acknowledge[] {
  execute('SAVEPOINT together');
  try {
    return writes.map(({ run, resolve }) => {
      const value = run();
      return () => resolve(value as never);
    });
  } catch {
    execute('ROLLBACK TO together');
    return writes.map((write) => attempt(write, execute));
  }
}

/** Runs one write of a group; what it throws undoes it alone. */
function attempt({ run, resolve, reject }: QueuedWrite, execute: Execute): Acknowledge {
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

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error && 'errcode' in error)) return false;
  // The upper bits say more closely why.
  return (Number(error.errcode) & 0xff) === SQLITE_BUSY;
}

/** The failure of a write that left nothing behind. */
export function storeFailed(): SecretsError {
  return new SecretsError('unavailable', 'The store could not write. Nothing was changed; try again.');
}
