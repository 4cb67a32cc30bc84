import { computed, signal } from '@preact/signals';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { pagesOf } from './api.ts';
import { endWhenRefused } from './session.ts';
import { now } from './words.ts';

/** How far a collection has been read. */
export interface Reading {
  readonly state: 'never' | 'under-way' | 'whole' | 'failed';
  readonly problem: string | null;
  /** When it was last read to the end. */
  readonly at: number | null;
}

export const secrets = signal<readonly SecretMetadata[]>([]);
export const reading = signal<Reading>({ state: 'never', problem: null, at: null });
/** Whether the list is of what was deleted and can be restored. */
export const showsDeleted = signal(false);

type Change = (list: readonly SecretMetadata[]) => readonly SecretMetadata[];

let latest = new AbortController();
/** What was written here since the reading began: its pages may be from before. */
let changes: readonly Change[] = [];

/** Reads every secret that this key may see, showing what there is as it comes. */
export async function readSecrets(): Promise<void> {
  latest.abort();
  latest = new AbortController();
  const { signal: aborted } = latest;
  const before = reading.value.at;
  reading.value = { state: 'under-way', problem: null, at: before };
  const read: SecretMetadata[] = [];
  changes = [];
  const show = () => {
    secrets.value = changes.reduce<readonly SecretMetadata[]>((list, change) => change(list), [...read]);
  };
  try {
    const query = showsDeleted.value ? { deleted: 'true' } : {};
    for await (const page of pagesOf<SecretMetadata>('/secrets', query, aborted)) {
      if (aborted.aborted) return;
      read.push(...page);
      // What is shown already gives way to what is new only when that is whole: nothing jumps.
      if (before === null) show();
    }
    show();
    now.value = Date.now();
    reading.value = { state: 'whole', problem: null, at: Date.now() };
  } catch (error) {
    if (aborted.aborted) return;
    reading.value = { state: 'failed', problem: endWhenRefused(error), at: before };
  }
}

/** Forgets what was read, as a session ends. */
export function forgetSecrets(): void {
  latest.abort();
  secrets.value = [];
  showsDeleted.value = false;
  reading.value = { state: 'never', problem: null, at: null };
}

export function showDeleted(shown: boolean): void {
  forgetSecrets();
  showsDeleted.value = shown;
  void readSecrets();
}

function apply(change: Change): void {
  changes = [...changes, change];
  secrets.value = change(secrets.value);
}

/** Puts a secret in the place of what it was, so that a write shows at once. */
export function putSecret(changed: SecretMetadata): void {
  apply((list) => {
    const others = list.filter((secret) => identity(secret) !== identity(changed));
    const at = others.findIndex(({ name }) => name > changed.name);
    return at < 0 ? [...others, changed] : others.toSpliced(at, 0, changed);
  });
}

export function dropSecret(gone: SecretMetadata): void {
  apply((list) => list.filter((secret) => identity(secret) !== identity(gone)));
}

/** The pipeline or user that a secret serves; empty for the organization. */
export function ownerOf(secret: Pick<SecretMetadata, 'pipeline_id' | 'user'>): string {
  return secret.pipeline_id ?? secret.user ?? '';
}

export function identity(secret: SecretMetadata): string {
  return `${secret.name}#${secret.scope}#${ownerOf(secret)}#${secret.environment ?? ''}`;
}

/** When the value of today was made. */
export function bornAt(secret: SecretMetadata): number {
  return Date.parse(secret.last_rotated ?? secret.created_at);
}

export const environmentsInUse = computed(
  () => new Set(secrets.value.map(({ environment }) => environment ?? 'none')),
);
