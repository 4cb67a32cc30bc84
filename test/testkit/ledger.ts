/** What a client was told about one secret: what must be true of it for ever after. */
interface Known {
  /** Versions that were acknowledged, with their values; null for a version whose value is not known. */
  readonly acknowledged: Map<number, string>;
  /** Values of writes that were sent and never answered: they may have happened, or not. */
  readonly unanswered: Set<string>;
  /** The highest acknowledged version; after a delete, 0. */
  latest: number;
  deleted: 'no' | 'yes' | 'perhaps';
}

/** A value that left the server, and the request that took it. */
export interface Leak {
  readonly request_id: string;
  readonly name: string;
  readonly version: number;
}

/**
 * A client's own book of a store that may be killed at any moment: every acknowledged write, every write
 * whose answer never came, every value that was received.
 */
export class Ledger {
  readonly #secrets = new Map<string, Known>();
  readonly received: Leak[] = [];
  acknowledged = 0;

  names(): string[] {
    return [...this.#secrets.keys()];
  }

  sent(name: string, value: string): void {
    this.#of(name).unanswered.add(value);
  }

  stored(name: string, version: number, value: string): void {
    const known = this.#of(name);
    known.unanswered.delete(value);
    known.acknowledged.set(version, value);
    known.latest = Math.max(known.latest, version);
    this.acknowledged += 1;
  }

  deleting(name: string): void {
    const known = this.#of(name);
    if (known.deleted === 'no') known.deleted = 'perhaps';
  }

  deleted(name: string): void {
    this.#of(name).deleted = 'yes';
    this.acknowledged += 1;
  }

  /**
   * What is wrong with what the store says now; null when nothing is.
   * @param found the version and value that a resolve gave; null when it said that there is no such secret
   */
  judge(name: string, found: { readonly version: number; readonly value: string } | null): string | null {
    const known = this.#of(name);
    if (found === null) {
      if (known.deleted !== 'no' || known.latest === 0) return null;
      return `version ${known.latest} was acknowledged, and there is nothing`;
    }
    if (known.deleted === 'yes') return `it was deleted, and version ${found.version} resolves`;
    if (found.version < known.latest)
      return `version ${known.latest} was acknowledged, and ${found.version} resolves`;
    const acknowledged = known.acknowledged.get(found.version);
    if (acknowledged !== undefined && acknowledged !== found.value)
      return `version ${found.version} has another value`;
    if (acknowledged === undefined && !known.unanswered.has(found.value)) return 'its value was never sent';
    return null;
  }

  #of(name: string): Known {
    const known = this.#secrets.get(name) ?? {
      acknowledged: new Map(),
      unanswered: new Set(),
      latest: 0,
      deleted: 'no',
    };
    this.#secrets.set(name, known);
    return known;
  }
}
