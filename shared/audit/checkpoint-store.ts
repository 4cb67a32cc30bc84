import type { OrganizationId } from '../contract/ids.ts';

/**
 * Where checkpoints and the tree's tiles are kept: apart from the log, where who writes the log cannot write.
 * What is there never changes.
 */
export interface CheckpointStore {
  /** The signed note of the largest checkpoint; null when there is none. */
  latest(org: OrganizationId): Promise<string | null>;
  /** Signed notes by size, from after a size on. */
  list(org: OrganizationId, afterSize: number, limit: number): Promise<readonly string[]>;
  /** Keeps a checkpoint of a size; the first one of a size stays. @throws SecretsError `unavailable` */
  add(org: OrganizationId, size: number, note: string): Promise<void>;
  /** A tile's bytes; null when there is none. */
  readTile(org: OrganizationId, path: string): Promise<Buffer | null>;
  /** Keeps a tile; the first one of a path stays. @throws SecretsError `unavailable` */
  addTile(org: OrganizationId, path: string, bytes: Buffer): Promise<void>;
}
