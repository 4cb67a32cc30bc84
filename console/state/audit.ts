import { signal } from '@preact/signals';
import type { AuditEntry } from '../../shared/contract/audit.ts';
import { pagesOf, type Query } from './api.ts';
import { endWhenRefused } from './session.ts';

/** How many entries are read before the reader is asked whether to go on. */
const PORTION = 25_000;

/** Reads the audit log newest first, and shows what there is as it comes. */
export class AuditReader {
  /** Newest first. Another array after each page. */
  readonly entries = signal<readonly AuditEntry[]>([]);
  /** `paused`: there is more, and this is as much as was asked for. */
  readonly state = signal<'never' | 'under-way' | 'paused' | 'whole' | 'failed'>('never');
  readonly problem = signal<string | null>(null);
  #pages: AsyncIterator<readonly AuditEntry[]> | null = null;
  #stop = new AbortController();
  #query: Query = {};

  /** Begins anew with another filter. */
  async read(query: Query): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#query = query;
    this.entries.value = [];
    this.#pages = pagesOf<AuditEntry>('/secrets/audit', query, this.#stop.signal);
    await this.readOn();
  }

  /** Begins anew with the same filter: what broke off cannot be read on. */
  async again(): Promise<void> {
    await this.read(this.#query);
  }

  /** Reads the next portion. */
  async readOn(): Promise<void> {
    const pages = this.#pages;
    const stop = this.#stop.signal;
    if (pages === null) return;
    this.state.value = 'under-way';
    this.problem.value = null;
    const end = this.entries.value.length + PORTION;
    try {
      while (this.entries.value.length < end) {
        if (this.state.value !== 'under-way') return;
        const { value, done } = await pages.next();
        if (stop.aborted) return;
        if (done) {
          this.state.value = 'whole';
          return;
        }
        this.entries.value = [...this.entries.value, ...value];
      }
      this.state.value = 'paused';
    } catch (error) {
      if (stop.aborted) return;
      this.state.value = 'failed';
      this.problem.value = endWhenRefused(error);
    }
  }

  /** Stops after the page that is under way. */
  pause(): void {
    if (this.state.value === 'under-way') this.state.value = 'paused';
  }

  forget(): void {
    this.#stop.abort();
    this.#pages = null;
    this.entries.value = [];
    this.state.value = 'never';
  }
}

/** Many refusals of one caller in a short time. */
export interface Burst {
  readonly who: string;
  readonly from: number;
  readonly to: number;
  readonly entries: readonly AuditEntry[];
}

const BURST_SIZE = 5;
const BURST_GAP_MS = 60_000;

/** Runs of at least five refusals of one key or address with less than a minute between each two. */
export function burstsOf(entries: readonly AuditEntry[]): readonly Burst[] {
  const byCaller = new Map<string, AuditEntry[]>();
  for (const entry of entries) {
    if (entry.outcome !== 'denied') continue;
    const who = entry.user ?? entry.api_key_id ?? entry.ip_address ?? 'nobody known';
    const theirs = byCaller.get(who);
    if (theirs === undefined) byCaller.set(who, [entry]);
    else theirs.push(entry);
  }
  const bursts = [...byCaller].flatMap(([who, refusals]) => runsOf(who, refusals));
  return bursts.toSorted((a, b) => b.to - a.to);
}

function runsOf(who: string, refusals: readonly AuditEntry[]): readonly Burst[] {
  const runs: AuditEntry[][] = [];
  let before = Number.NaN;
  for (const entry of refusals) {
    const at = Date.parse(entry.timestamp);
    const last = runs.at(-1);
    if (last !== undefined && before - at < BURST_GAP_MS) last.push(entry);
    else runs.push([entry]);
    before = at;
  }
  return runs
    .filter((run) => run.length >= BURST_SIZE)
    .map((run) => ({
      who,
      from: Date.parse(run.at(-1)?.timestamp ?? ''),
      to: Date.parse(run[0]?.timestamp ?? ''),
      entries: run,
    }));
}
