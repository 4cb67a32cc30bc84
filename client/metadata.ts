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
  readonly created_at: string;
  readonly created_by: string;
  readonly last_rotated: string | null;
  readonly last_rotated_by: string | null;
  readonly rotation_days: number | null;
  readonly next_rotation_at: string | null;
  readonly last_accessed_at: string | null;
  readonly deleted_at: string | null;
}
