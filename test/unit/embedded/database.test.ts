import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretsError } from '../../../shared/contract/errors.ts';
import { Database } from '../../../shared/embedded/database.ts';
import { sharedTurns, turnsOfBackground, turnsOfRequests } from '../../../shared/embedded/turns.ts';

let folder = '';
let db: Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fm-database-'));
  db = new Database(join(folder, 'store.db'));
});

afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

function put(id: string): number {
  return db.run('INSERT INTO organizations (id, created_at, record_reads) VALUES (?, ?, 1)', id, 'now');
}

function ids(): string[] {
  return db.all<{ id: string }>('SELECT id FROM organizations ORDER BY id').map(({ id }) => id);
}

describe('writes of one moment', () => {
  it('are committed together', async () => {
    let commits = 0;
    db.onCommit = () => {
      commits += 1;
    };
    await Promise.all(['a', 'b', 'c'].map((id) => db.write(() => put(id))));
    expect(ids()).toEqual(['a', 'b', 'c']);
    expect(commits).toBe(1);
  });

  it('are undone each by itself when one throws', async () => {
    const refused = new SecretsError('version_conflict', 'no');
    const settled = await Promise.allSettled([
      db.write(() => put('a')),
      db.write(() => {
        put('b');
        throw refused;
      }),
      db.write(() => put('c')),
      db.write(() => put('a')),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect(settled[1]).toMatchObject({ reason: refused });
    expect(settled[3]).toMatchObject({ reason: { code: 'unavailable' } });
    expect(ids()).toEqual(['a', 'c']);
  });
});

describe('while another connection writes', () => {
  let other: DatabaseSync;

  beforeEach(() => {
    other = new DatabaseSync(join(folder, 'store.db'));
    other.exec('BEGIN IMMEDIATE');
    other.exec("INSERT INTO organizations (id, created_at, record_reads) VALUES ('other', 'now', 1)");
  });

  afterEach(() => other.close());

  it('the thread goes on, reads what was before, and the writes come when it is done', async () => {
    let done = 0;
    const writes = [db.write(() => put('a')), db.writeDerived(() => put('b'))].map(async (write) => {
      await write;
      done += 1;
    });
    // Turns of the loop in which the writes come again and again, and a read is answered.
    for (let turn = 0; turn < 20; turn += 1) await sleep(1);
    expect(ids()).toEqual([]);
    expect(done).toBe(0);
    other.exec('COMMIT');
    await Promise.all(writes);
    expect(ids()).toEqual(['a', 'b', 'other']);
  });

  it('writes that would wait too long are refused, and nothing of them is kept', async () => {
    await expect(db.write(() => put('a'))).rejects.toMatchObject({ code: 'unavailable' });
    other.exec('COMMIT');
    await db.write(() => put('b'));
    expect(ids()).toEqual(['b', 'other']);
  }, 30_000);

  it('the log is not moved into the file until it may be, and nothing fails by that', async () => {
    db.checkpoint();
    other.exec('COMMIT');
    db.checkpoint();
    expect(ids()).toEqual(['other']);
  });

  it('the next turn is claimed, until the writes are done', async () => {
    const turns = sharedTurns();
    db.turns = turnsOfRequests(turns);
    const claimed = () => Atomics.load(new Int32Array(turns), 0) === 1;
    const written = db.write(() => put('a'));
    while (!claimed()) await sleep(1);
    other.exec('COMMIT');
    await written;
    expect(claimed()).toBe(false);
  });

  it('the next turn is no longer claimed by writes that were refused', async () => {
    const turns = sharedTurns();
    db.turns = turnsOfRequests(turns);
    await expect(db.write(() => put('a'))).rejects.toMatchObject({ code: 'unavailable' });
    expect([...new Int32Array(turns)]).toEqual([0]);
    other.exec('COMMIT');
  }, 30_000);
});

it('a write that can wait gives way to the turn that another thread claimed', async () => {
  const turns = sharedTurns();
  db.turns = turnsOfBackground(turns);
  await db.writeDerived(() => put('nobody claimed it'));

  const done = new Int32Array(new SharedArrayBuffer(4));
  // As a thread of requests: it claims its turn, writes for a moment, and is done.
  const thread = new Worker(
    `const { parentPort, workerData: { turns, done } } = require('node:worker_threads');
     const claimed = new Int32Array(turns);
     Atomics.store(claimed, 0, 1);
     parentPort.postMessage('claimed');
     Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
     Atomics.store(done, 0, 1);
     Atomics.store(claimed, 0, 0);
     Atomics.notify(claimed, 0);`,
    { eval: true, workerData: { turns, done } },
  );
  await once(thread, 'message');
  expect(await db.writeDerived(() => Atomics.load(done, 0))).toBe(1);
  await once(thread, 'exit');
});
