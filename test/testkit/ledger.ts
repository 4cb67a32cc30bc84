/** What a client was told about one secret: what must be true of it for ever after. */
interface Known {
  /** Versions that were acknowledged or seen, with their values. */
  readonly values: Map<number, string>;
  /** Values of writes that were sent and not answered: they may have happened, or not. */
  readonly unanswered: Set<string>;
  /** The highest version that was acknowledged or seen; 0 when none was. */
  latest: number;
  description: string | null;
  /** A description that was sent and not answered. */
  unansweredDescription: string | null;
  deleted: State;
}

/** Whether something ended: it did, it did not, or an end was asked for and never answered. */
type State = 'no' | 'yes' | 'perhaps';

/** A value that left the server, and the request that took it. */
export interface Received {
  readonly request_id: string;
  readonly name: string;
  readonly version: number;
}

/**
 * A client's own book of a store that may be killed at any moment. Each name, and each credential, is used by
 * one client at a time. So what is seen after a restart is settled: a write that was not answered has happened
 * by then, or never will.
 */
export class Ledger {
  readonly #secrets = new Map<string, Known>();
  readonly #credentials = new Map<string, State>();
  readonly received: Received[] = [];
  /** The requests whose writes were acknowledged. */
  readonly acknowledged = new Set<string>();
  /** How many writes were never answered. */
  unanswered = 0;

  names(): string[] {
    return [...this.#secrets.keys()];
  }

  sent(name: string, value: string): void {
    this.#of(name).unanswered.add(value);
  }

  stored(name: string, version: number, value: string): void {
    const known = this.#of(name);
    known.unanswered.delete(value);
    known.values.set(version, value);
    known.latest = Math.max(known.latest, version);
  }

  describing(name: string, description: string): void {
    this.#of(name).unansweredDescription = description;
  }

  described(name: string, description: string): void {
    Object.assign(this.#of(name), { description, unansweredDescription: null });
  }

  deleting(name: string): void {
    this.#of(name).deleted = 'perhaps';
  }

  deleted(name: string): void {
    this.#of(name).deleted = 'yes';
  }

  /**
   * What is wrong with what the store says now; null when nothing is, and then it is settled.
   * @param found the version and value that a resolve gave; null when it said that there is no such secret
   */
  judge(name: string, found: { readonly version: number; readonly value: string } | null): string | null {
    const known = this.#of(name);
    if (found === null) {
      if (known.deleted === 'no' && known.latest > 0)
        return `version ${known.latest} was acknowledged, and there is nothing`;
      if (known.deleted === 'perhaps') known.deleted = 'yes';
      known.unanswered.clear();
      return null;
    }
    const { version, value } = found;
    if (known.deleted === 'yes') return `it was deleted, and version ${version} resolves`;
    if (version < known.latest) return `version ${known.latest} was acknowledged, and ${version} resolves`;
    const acknowledged = known.values.get(version);
    if (acknowledged !== undefined && acknowledged !== value) return `version ${version} has another value`;
    if (acknowledged === undefined && !known.unanswered.has(value)) return 'its value was never sent';
    known.values.set(version, value);
    known.latest = version;
    known.unanswered.clear();
    known.deleted = 'no';
    return null;
  }

  /** The same of a description. */
  judgeDescription(name: string, found: string | null): string | null {
    const known = this.#of(name);
    if (found !== known.description && found !== known.unansweredDescription)
      return `it was described as ${known.description}, and is as ${found}`;
    known.description = found;
    known.unansweredDescription = null;
    return null;
  }

  issued(credential: string): void {
    this.#credentials.set(credential, 'no');
  }

  ending(credential: string): void {
    this.#credentials.set(credential, 'perhaps');
  }

  ended(credential: string): void {
    this.#credentials.set(credential, 'yes');
  }

  credentials(): string[] {
    return [...this.#credentials.keys()];
  }

  /** The same of a credential. @param isTaken whether the server took it */
  judgeCredential(credential: string, isTaken: boolean): string | null {
    const ended = this.#credentials.get(credential);
    if (ended === 'yes' && isTaken) return 'it was ended, and is taken';
    if (ended === 'no' && !isTaken) return 'it was issued, and is not taken';
    this.#credentials.set(credential, isTaken ? 'no' : 'yes');
    return null;
  }

  #of(name: string): Known {
    const known = this.#secrets.get(name) ?? {
      values: new Map(),
      unanswered: new Set(),
      latest: 0,
      description: null,
      unansweredDescription: null,
      deleted: 'no',
    };
    this.#secrets.set(name, known);
    return known;
  }
}
