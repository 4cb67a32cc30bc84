import { setTimeout as pause } from 'node:timers/promises';
import type { ApiKeyState } from '../access/api-key.ts';
import { type Coordinates, coordinatesKey } from '../contract/coordinates.ts';
import type { ApiKeyId, OrganizationId, RunId } from '../contract/ids.ts';
import type { Page } from '../contract/page.ts';
import { readRecordBytes, type StoredRecord } from './chain.ts';
import type { AuditedSecret } from './event.ts';
import type { AuditLog } from './log.ts';
import type { BadRecord } from './verify-chain.ts';

/** What is compared with the log: what the store holds now. */
export interface StateNeeds {
  readonly auditLog: Pick<AuditLog, 'read'>;
  readonly secrets: {
    list(
      org: OrganizationId,
      range: { readonly prefix: string; readonly after: string | undefined; readonly limit: number },
    ): Promise<Page<{ readonly at: Coordinates; readonly record: Uint8Array }>>;
  };
  readonly callers: {
    findApiKey(id: ApiKeyId): Promise<ApiKeyState | null>;
    findRun(org: OrganizationId, id: RunId): Promise<{ readonly ended_at: string | null } | null>;
  };
  /** How many events are on their way to the log. */
  readonly auditLag: () => Promise<number>;
  readonly now: () => Date;
}

/** What the log says of a secret: the revision that it came to, and where that was said. */
interface Known {
  readonly name: string;
  readonly revision: number;
  /** Whether it was removed for good. */
  readonly gone: boolean;
  readonly at: string;
  readonly sequence: number;
}

const HEADS_AT_ONCE = 500;
const RECORDS_AT_ONCE = 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
const TRIES = 4;
const PAUSE_MS = 500;

/**
 * Compares the store's present state with what the log says was written: a row that was put back whole, as it
 * was before, proves itself by its own signature or MAC. Only the log knows that it is an old one.
 */
export class StateChecker {
  readonly #secrets = new Map<string, Known>();
  readonly #revoked = new Map<ApiKeyId, number>();
  readonly #ended = new Map<RunId, { readonly at: string; readonly sequence: number }>();
  #last = 0;

  /** Adds the next record of a log that was found to be right. */
  add({ sequence, bytes }: StoredRecord): void {
    this.#last = sequence;
    const { event } = readRecordBytes(bytes);
    if (event.outcome !== 'success') return;
    if (event.action === 'revoke_api_key') this.#revoked.set(event.about as ApiKeyId, sequence);
    if (event.action === 'end_run') this.#ended.set(event.about as RunId, { at: event.timestamp, sequence });
    for (const secret of event.secrets)
      if (secret.revision !== undefined)
        this.#learn(secret, { at: event.timestamp, sequence, gone: event.action === 'purge' });
  }

  /** Nothing is wrong with what is only newer than the log: events may be on their way to it. */
  #learn(secret: AuditedSecret, said: Pick<Known, 'at' | 'sequence' | 'gone'>): void {
    const key = keyOf(secret);
    const known = this.#secrets.get(key);
    const { name, revision = 0 } = secret;
    const next: Known = { name, revision, ...said };
    // Events of one moment may come in another order; a secret that is made again begins a life of its own.
    const isNext =
      known === undefined || (known.gone || next.gone ? next.at >= known.at : next.revision > known.revision);
    if (isNext) this.#secrets.set(key, next);
  }

  /**
   * What in the store is older than the log says, or came back.
   * @returns each with the record that says otherwise
   * @throws SecretsError `unavailable`
   */
  async stale(needs: StateNeeds, org: OrganizationId): Promise<BadRecord[]> {
    const found = await this.#compare(needs, org);
    if (found.length === 0) return [];
    // A secret may have been removed a moment ago: what says so is on its way to the log.
    for (let tries = 0; tries < TRIES && (await needs.auditLag()) > 0; tries += 1) await pause(PAUSE_MS);
    await this.#readOn(needs, org);
    return this.#compare(needs, org);
  }

  async #compare(needs: StateNeeds, org: OrganizationId): Promise<BadRecord[]> {
    const found = [
      ...(await this.#staleSecrets(needs, org)),
      ...(await this.#staleKeys(needs)),
      ...(await this.#staleRuns(needs, org)),
    ];
    return found.sort((a, b) => a.sequence - b.sequence);
  }

  async #readOn({ auditLog }: StateNeeds, org: OrganizationId): Promise<void> {
    for (;;) {
      const records = await auditLog.read(org, this.#last + 1, RECORDS_AT_ONCE);
      for (const record of records) this.add(record);
      if (records.length < RECORDS_AT_ONCE) return;
    }
  }

  async #staleSecrets({ secrets }: StateNeeds, org: OrganizationId): Promise<BadRecord[]> {
    const unseen = new Map(this.#secrets);
    const found: BadRecord[] = [];
    let after: string | undefined;
    do {
      const page = await secrets.list(org, { prefix: '', after, limit: HEADS_AT_ONCE });
      for (const head of page.items) {
        const key = coordinatesKey(head.at);
        const known = unseen.get(key);
        unseen.delete(key);
        const reason = known === undefined ? null : staleHead(known, revisionOf(head.record));
        if (known !== undefined && reason !== null) found.push({ sequence: known.sequence, reason });
      }
      after = page.next;
    } while (after !== undefined);
    for (const { name, gone, sequence } of unseen.values())
      if (!gone) found.push({ sequence, reason: `wrote the secret ${name}, which is not there any more` });
    return found;
  }

  async #staleKeys({ callers }: StateNeeds): Promise<BadRecord[]> {
    const found: BadRecord[] = [];
    for (const [id, sequence] of this.#revoked)
      if ((await callers.findApiKey(id))?.revoked_at === null)
        found.push({ sequence, reason: `revoked the API key ${id}, which is not revoked any more` });
    return found;
  }

  async #staleRuns({ callers, now }: StateNeeds, org: OrganizationId): Promise<BadRecord[]> {
    const found: BadRecord[] = [];
    // A run token lives for a day at most: of older runs nothing can come back.
    const since = new Date(now().getTime() - DAY_MS).toISOString();
    for (const [id, { at, sequence }] of this.#ended)
      if (at > since && (await callers.findRun(org, id))?.ended_at === null)
        found.push({ sequence, reason: `ended the run ${id}, which has not ended any more` });
    return found;
  }
}

function staleHead({ name, revision, gone }: Known, stored: number | null): string | null {
  if (stored === null) return `wrote the secret ${name}, whose row cannot be read`;
  if (gone) return `removed the secret ${name} for good, which is there again`;
  return stored < revision
    ? `wrote revision ${revision} of the secret ${name}; the store holds ${stored}`
    : null;
}

/** What a head says of itself. Its MAC stands for it, which a resolve checks. */
function revisionOf(record: Uint8Array): number | null {
  try {
    const { revision } = JSON.parse(Buffer.from(record).toString()) as { revision?: unknown };
    return typeof revision === 'number' ? revision : null;
  } catch {
    return null;
  }
}

/** As {@link coordinatesKey} has it. */
function keyOf({ name, scope, environment, owner }: AuditedSecret): string {
  return `${name}#${scope}#${environment ?? ''}#${owner ?? ''}`;
}
