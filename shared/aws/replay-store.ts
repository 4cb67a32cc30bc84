import type { Replay, ReplayStore } from '../access/replay.ts';
import type { Table } from './table.ts';
import { replayKey } from './table-layout.ts';
import type { ReplayItem } from './trail.ts';

/** The answers to repeated requests in DynamoDB. */
export class DynamoReplayStore implements ReplayStore {
  readonly #table: Table;
  readonly #now: () => Date;

  constructor(table: Table, now: () => Date) {
    this.#table = table;
    this.#now = now;
  }

  async find(caller: string, key: string): Promise<Replay | null> {
    const item = await this.#table.get<ReplayItem>(replayKey(caller, key));
    // DynamoDB deletes what has expired when it finds the time, not at once.
    if (item === undefined || item.expires_at <= this.#now().toISOString()) return null;
    const { fingerprint, status, answer, expires_at } = item;
    return { caller, key, fingerprint, status, answer, expires_at };
  }
}
