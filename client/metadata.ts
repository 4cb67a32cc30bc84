/** What a secret tells about itself. Times are RFC 3339 in UTC; there is no value in it. */
export interface SecretMetadata {
  readonly name: string;
  readonly scope: 'org' | 'pipeline' | 'user';
  readonly pipeline_id: string | null;
  readonly user: string | null;
  readonly environment: string | null;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string | number | boolean | null>> | null;
  readonly version: number;
  /** The same for the same value in every environment; null for who may not write it. */
  readonly fingerprint: string | null;
  readonly created_at: string;
  readonly created_by: string;
  readonly last_rotated: string | null;
  readonly last_rotated_by: string | null;
  readonly rotation_days: number | null;
  readonly next_rotation_at: string | null;
  readonly last_accessed_at: string | null;
  readonly deleted_at: string | null;
  readonly state: 'settled' | 'staged' | 'overlap' | 'staged_overlap';
  /** What `@previous` resolves, and until when. */
  readonly previous: { readonly version: number; readonly until: string } | null;
  /** What `@pending` resolves: stored, and not live. */
  readonly pending: {
    readonly version: number;
    readonly staged_at: string;
    readonly staged_by: string;
  } | null;
  /** What rotates it by itself. */
  readonly rotator: Readonly<Record<string, unknown>> | null;
  /** Where that stands, or how it ended. */
  readonly rotation: Readonly<Record<string, unknown>> | null;
  /** Why it is due when it is, who is reminded, and whether somebody answered; absent while it has no date. */
  readonly reminder?:
    | {
        readonly because: 'rotation_days' | 'policy' | 'key_revoked' | 'exported' | 'rotation_failed';
        readonly owner: string;
        readonly quiet: Readonly<Record<string, unknown>> | null;
      }
    | undefined;
}
