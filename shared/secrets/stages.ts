import { SecretsError } from '../contract/errors.ts';
import type { SecretState } from '../contract/stages.ts';
import { nextRotationAt } from './due.ts';
import type { SecretRecord } from './secret-record.ts';

/** What changes which version carries which label. docs/stages.md draws it. */
export type Move = 'rotate' | 'stage' | 'activate' | 'abandon' | 'rollback' | 'retire';

/** From where each move is legal. A test holds docs/stages.md to it, and tries every pair. */
export const legalFrom: Readonly<Record<Move, readonly SecretState[]>> = {
  rotate: ['settled', 'overlap'],
  rollback: ['settled', 'overlap'],
  stage: ['settled', 'overlap'],
  activate: ['staged', 'staged_overlap'],
  abandon: ['staged', 'staged_overlap'],
  retire: ['overlap', 'staged_overlap'],
};

/** Where a secret stands, told by its labels. An overlap whose deadline is over stands until it is retired. */
export function stateOf({ previous, pending }: Pick<SecretRecord, 'previous' | 'pending'>): SecretState {
  if (pending === null) return previous === null ? 'settled' : 'overlap';
  return previous === null ? 'staged' : 'staged_overlap';
}

/** @throws SecretsError `stage_conflict` naming the state, when the move is not legal from there */
export function demandMove(move: Move, record: Pick<SecretRecord, 'previous' | 'pending'>): void {
  const state = stateOf(record);
  if (legalFrom[move].includes(state)) return;
  const { pending } = record;
  const why =
    pending === null
      ? 'no version is pending. Stage one first: rotate with stage pending'
      : `version ${pending.version} is pending. Activate or abandon it first`;
  throw new SecretsError('stage_conflict', `The secret is ${state.replace('_', ' with ')}: ${why}.`, {
    members: { state },
  });
}

/** What a label says of a version; null for one without. */
export function stageOf(
  {
    current,
    previous,
    pending,
    abandoned,
  }: Pick<SecretRecord, 'current' | 'previous' | 'pending' | 'abandoned'>,
  version: number,
): 'current' | 'previous' | 'pending' | 'abandoned' | null {
  if (version === current.version) return 'current';
  if (version === previous?.version) return 'previous';
  if (version === pending?.version) return 'pending';
  return abandoned.includes(version) ? 'abandoned' : null;
}

const KEPT_VERSIONS = 100;
const KEPT_MS = 90 * 24 * 60 * 60 * 1000;

/** Below which number versions may be pruned, once they are old enough too. */
export function pruneBelow({ latest }: Pick<SecretRecord, 'latest'>): number {
  return latest - KEPT_VERSIONS + 1;
}

/** When a version that is no longer among the newest may go. */
export function mayGoAt(createdAt: string): string {
  return new Date(Date.parse(createdAt) + KEPT_MS).toISOString();
}

/** When something is next to be done about a secret; null when nothing is. */
export function tendAt(record: Omit<SecretRecord, 'data_key'>): string | null {
  if (record.deleted_at !== null) return null;
  const { previous, prune_at } = record;
  const times = [previous?.until, prune_at, stepAt(record)].filter((time) => time != null);
  return times.sort()[0] ?? null;
}

/** When the rotator's next step is: at once while it goes on, until the overlap; else when the secret is due. */
export function stepAt(record: Omit<SecretRecord, 'data_key'>): string | null {
  const { rotator, rotation, previous, pending } = record;
  if (rotation?.state === 'failed') return null;
  if (rotation?.state === 'running')
    return rotation.step === 'finish' && previous !== null
      ? previous.until
      : (rotation.tried_at ?? rotation.started_at);
  if (rotator === null || pending !== null) return null;
  const due = nextRotationAt(record);
  // Two roles take turns: the one that is at hand as previous must not be given away.
  return due !== null && previous !== null && previous.until > due ? previous.until : due;
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The label of the version that is replaced now; null when it shall not be kept at hand. */
export function keptPrevious(now: Date, version: number, duration: string | null | undefined) {
  if (duration == null) return null;
  const unit = duration.at(-1) as keyof typeof UNIT_MS;
  const until = new Date(now.getTime() + Number(duration.slice(0, -1)) * UNIT_MS[unit]);
  return { version, until: until.toISOString() };
}
