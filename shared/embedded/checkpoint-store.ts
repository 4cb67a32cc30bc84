import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CheckpointStore } from '../audit/checkpoint-store.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { writePrivateFile } from './files.ts';

const DIGITS = 16;

/**
 * Checkpoints and tiles as files, in a directory of their own that may lie on other media than the store:
 * `<org>/checkpoint/<size>` and `<org>/tile/…` as C2SP's tlog-tiles has them.
 */
export class CheckpointFolder implements CheckpointStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async latest(org: OrganizationId): Promise<string | null> {
    const last = this.#sizes(org).at(-1);
    return last === undefined ? null : readFileSync(join(this.#path, org, 'checkpoint', last), 'utf8');
  }

  async list(org: OrganizationId, afterSize: number, limit: number): Promise<readonly string[]> {
    const wanted = this.#sizes(org).filter((size) => Number(size) > afterSize);
    return wanted
      .slice(0, limit)
      .map((size) => readFileSync(join(this.#path, org, 'checkpoint', size), 'utf8'));
  }

  async add(org: OrganizationId, size: number, note: string): Promise<void> {
    this.#keep(join(this.#path, org, 'checkpoint', String(size).padStart(DIGITS, '0')), note);
  }

  async readTile(org: OrganizationId, path: string): Promise<Buffer | null> {
    const file = join(this.#path, org, path);
    return existsSync(file) ? readFileSync(file) : null;
  }

  async addTile(org: OrganizationId, path: string, bytes: Buffer): Promise<void> {
    this.#keep(join(this.#path, org, path), bytes);
  }

  #sizes(org: OrganizationId): string[] {
    const folder = join(this.#path, org, 'checkpoint');
    return existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => /^\d{16}$/.test(name))
          .sort()
      : [];
  }

  #keep(path: string, content: string | Buffer): void {
    if (existsSync(path)) return;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writePrivateFile(path, content);
  }
}
