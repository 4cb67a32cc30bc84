import type { AuditEvent } from './event.ts';

/** Many refusals of one credential in a short time: somebody tries doors, or a program holds a wrong key. */
export interface DeniedBurst {
  readonly org: string;
  /** Whose key it was; null where no key was proven. */
  readonly api_key_id: string | null;
  readonly denied: number;
  readonly ip_addresses: readonly string[];
}

const WINDOW_MS = 5 * 60 * 1000;
const MANY = 20;
const ADDRESSES = 5;

interface Window {
  readonly began: number;
  readonly addresses: Set<string>;
  denied: number;
}

/** Counts refusals as they are recorded, and tells once in five minutes of each credential that has many. */
export class DeniedBursts {
  readonly #windows = new Map<string, Window>();

  /** @param texts events as the outbox holds them */
  add(texts: readonly string[], now: Date): DeniedBurst[] {
    for (const [key, { began }] of this.#windows)
      if (now.getTime() - began > WINDOW_MS) this.#windows.delete(key);
    return texts
      .filter((text) => text.includes('"outcome":"denied"'))
      .flatMap((text) => this.#count(JSON.parse(text) as AuditEvent, now) ?? []);
  }

  #count({ org, api_key_id, outcome, ip_address }: AuditEvent, now: Date): DeniedBurst | null {
    if (outcome !== 'denied') return null;
    const key = JSON.stringify([org, api_key_id]);
    const window = this.#windows.get(key) ?? { began: now.getTime(), denied: 0, addresses: new Set() };
    this.#windows.set(key, window);
    window.denied += 1;
    if (ip_address !== undefined && window.addresses.size < ADDRESSES) window.addresses.add(ip_address);
    if (window.denied !== MANY) return null;
    return { org, api_key_id: api_key_id ?? null, denied: MANY, ip_addresses: [...window.addresses] };
  }
}
