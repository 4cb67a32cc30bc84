import type { AuditAction } from '../contract/audit.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { ChainHead, StoredRecord } from './chain.ts';

/** A position in the log, newest first. */
export interface LogPosition {
  readonly timestamp: string;
  readonly sequence: number;
}

/** What to look for; one index serves each of the fields, and a page costs the same in any log. */
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

/** The organizations' chains. */
export interface AuditLog {
  head(org: OrganizationId): Promise<ChainHead>;
  /** Those of the event ids that are in the log already. */
  recorded(org: OrganizationId, eventIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Appends records when the chain still ends at `head`, and takes their events out of the outbox, at once.
   * @returns false when another recorder was first: read the head again
   * @throws SecretsError `unavailable`
   */
  appendAfter(org: OrganizationId, head: ChainHead, records: readonly StoredRecord[]): Promise<boolean>;
  /** At most `limit` records at or before a position, newest first. */
  query(
    org: OrganizationId,
    filter: LogFilter,
    limit: number,
    upTo: LogPosition | undefined,
  ): Promise<readonly StoredRecord[]>;
  /** At most `limit` records from a sequence on, oldest first; what the store holds, not what it should hold. */
  read(
    org: OrganizationId,
    fromSequence: number,
    limit: number,
  ): Promise<readonly Omit<StoredRecord, 'event'>[]>;
}
