import type { ChainHead } from '../audit/chain.ts';
import { type Checkpoint, checkpointText, signedNote } from '../audit/checkpoint.ts';
import type { CheckpointStore } from '../audit/checkpoint-store.ts';
import { CompactTree } from '../audit/merkle.ts';
import { TILE_WIDTH, TileBuilder, tileHashes, tilePath } from '../audit/tiles.ts';
import { SecretsError } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { KeyService } from '../envelope/key-service.ts';
import type { RowOf } from './archive.ts';

interface Needs {
  readonly checkpoints: CheckpointStore;
  readonly keyService: Pick<KeyService, 'sign' | 'publicKey'>;
  readonly now: () => Date;
}

/**
 * What is left of an organization's records that expired: their leaves, as a backup carries them.
 * @param covered the size of a checkpoint, at least `expired`
 * @throws SecretsError `unavailable` when a tile is lost
 */
export async function* expiredRows(
  checkpoints: Pick<CheckpointStore, 'readTile'>,
  org: OrganizationId,
  expired: number,
  covered: number,
): AsyncGenerator<RowOf<'expired'>> {
  for (let from = 0; from < expired; from += TILE_WIDTH) {
    const tile = { level: 0, index: from / TILE_WIDTH, width: Math.min(TILE_WIDTH, covered - from) };
    const bytes = await checkpoints.readTile(org, tilePath(tile));
    if (bytes === null)
      throw new SecretsError(
        'unavailable',
        `Records of ${org} have expired, and the checkpoint folder does not hold what proves them (${tilePath(tile)}). Bring that folder back.`,
      );
    const hashes = Buffer.concat(tileHashes(bytes).slice(0, expired - from)).toString('base64');
    yield { kind: 'expired', org, from, hashes };
  }
}

/** The beginning of a log whose records expired, built from its leaves. */
export class ExpiredLog {
  readonly tree = new CompactTree();
  readonly #tiles = new TileBuilder();
  readonly #filled: ReturnType<TileBuilder['add']> = [];
  #hash = '';

  /** @param onLeaf told after each leaf @throws Error when leaves are missing before these */
  add({ from, hashes }: RowOf<'expired'>, onLeaf: () => void = () => undefined): void {
    const bytes = Buffer.from(hashes, 'base64');
    if (from !== this.tree.size || bytes.length === 0 || bytes.length % 32 !== 0)
      throw new Error('what is left of expired records has a gap');
    for (const leaf of tileHashes(bytes)) {
      this.tree.add(leaf);
      this.#filled.push(...this.#tiles.add(leaf));
      this.#hash = leaf.toString('hex');
      onLeaf();
    }
  }

  /** The end of the chain behind the last of them. */
  get head(): ChainHead {
    return { sequence: this.tree.size, hash: this.#hash };
  }

  /**
   * Keeps the tiles, and a checkpoint of the new key that says that these records expired: what comes behind it is
   * checked against them as ever. Done once.
   * @throws SecretsError `unavailable`
   */
  async sign({ checkpoints, keyService, now }: Needs, org: OrganizationId): Promise<void> {
    if ((await checkpoints.latest(org)) !== null) return;
    for (const { tile, bytes } of [...this.#filled, ...this.#tiles.edge()])
      await checkpoints.addTile(org, tilePath(tile), bytes);
    const size = this.tree.size;
    const made: Checkpoint = { org, size, root: this.tree.root(), time: now().toISOString(), expired: size };
    const text = checkpointText(made);
    const signature = await keyService.sign('checkpoint', Buffer.from(text));
    const note = signedNote(text, org, signature, await keyService.publicKey());
    await checkpoints.add(org, size, note);
  }
}
