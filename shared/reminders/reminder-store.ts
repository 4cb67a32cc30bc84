import type { Trail } from '../audit/outbox.ts';
import { type Coordinates, coordinatesKey } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { Stage, StageKind } from './stage.ts';

/** That one version of a secret is in one stage. */
export interface Announcement {
  readonly at: Coordinates;
  readonly version: number;
  readonly due_at: string;
  readonly stage: Stage;
}

/** What makes an announcement the same as another one. */
export function announcementId({ at, version, due_at, stage }: Announcement): string {
  return `${coordinatesKey(at)} ${version} ${due_at} ${stage.kind} ${stage.days}`;
}

/**
 * Announcements that one owner gets together, once they are claimed. It is the record of what became of them: who
 * has it, and when to try again.
 */
export interface Digest {
  readonly id: string;
  readonly org: OrganizationId;
  /** Whose secrets they are; null for the organization's admins. */
  readonly owner: string | null;
  readonly announcements: readonly Announcement[];
  readonly created_at: string;
  readonly revision: number;
  readonly attempts: number;
  /** Ids of the addressees that have it, and of those that refused it for good. */
  readonly delivered: readonly string[];
  readonly refused: readonly string[];
  /** From when on anybody may take it up; null when it is done with. */
  readonly retry_at: string | null;
}

/** Who gets which reminders of an organization. */
export interface Recipient {
  readonly id: string;
  readonly org: OrganizationId;
  readonly kind: 'email' | 'webhook' | 'slack' | 'teams' | 'calendar';
  readonly address: string | null;
  /** Of a webhook, the part of its URL that is shown. */
  readonly host: string | null;
  /** Only what this owner's secrets say; null for every owner's. */
  readonly owner: string | null;
  readonly states: readonly StageKind[];
  readonly created_at: string;
  readonly created_by: string;
  /** A webhook's URL and signing key, sealed under a data key. */
  readonly sealed: { readonly data_key: string; readonly bytes: string } | null;
  /** SHA-256 of a calendar's token, hex. */
  readonly token_hash: string | null;
}

/** How far the check has come with an organization. */
export interface Progress {
  /** Which policies the secrets were walked for. */
  readonly policies: string | null;
  /** Until when the audit log was looked through. */
  readonly audit: string | null;
}

/** Where is kept what was announced to whom. Every method is one request of the store, and no read is a scan. */
export interface ReminderStore {
  /** Those of the announcements that a digest has claimed. */
  announced(org: OrganizationId, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Claims a digest's announcements and keeps the digest, all of it or nothing.
   * @returns false when another digest has claimed one of them: nothing was kept
   * @throws SecretsError `unavailable`
   */
  claim(digest: Digest): Promise<boolean>;
  /**
   * Keeps what became of a digest, with the event that says so.
   * @param released announcements of it that nobody was told, and that may be claimed again
   * @returns false when it was not at the revision before: somebody else has taken it up
   * @throws SecretsError `unavailable`
   */
  saveDigest(
    digest: Digest,
    event: Trail['event'] | null,
    released: readonly Announcement[],
  ): Promise<boolean>;
  /** Digests of every organization that may be taken up now, those first that wait the longest. */
  waiting(now: string, limit: number): Promise<readonly Digest[]>;
  /** Forgets what was claimed and done with before a moment. A store that does so by itself does nothing. */
  forget(before: string): Promise<void>;

  /** @throws SecretsError `idempotency_conflict`, `unavailable` */
  addRecipient(recipient: Recipient, trail: Trail): Promise<void>;
  /** @returns false when there is none: nothing was written @throws SecretsError as above */
  removeRecipient(org: OrganizationId, id: string, trail: Trail): Promise<boolean>;
  /** All of an organization, oldest first. */
  recipients(org: OrganizationId): Promise<readonly Recipient[]>;
  /** The calendar with a token of that hash; null when there is none. */
  findCalendar(tokenHash: string): Promise<Recipient | null>;

  progress(org: OrganizationId): Promise<Progress>;
  saveProgress(org: OrganizationId, progress: Progress): Promise<void>;
}

/** How many announcements a digest may have: as many as one transaction of every store takes. */
export const MAX_ANNOUNCEMENTS = 80;
/** How many recipients an organization may have, so that they are read at once. */
export const MAX_RECIPIENTS = 100;
