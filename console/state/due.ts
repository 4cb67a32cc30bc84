import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { DAY, now, span } from './words.ts';

/** How pressing a secret's rotation is. */
export type Urgency = 'overdue' | 'soon' | 'later' | 'quiet' | 'none';

const SOON_DAYS = 30;

export function urgencyOf(secret: SecretMetadata, at: number = now.value): Urgency {
  if (secret.next_rotation_at === null) return 'none';
  const quietUntil = secret.reminder?.quiet?.until;
  if (quietUntil !== undefined && Date.parse(quietUntil) > at) return 'quiet';
  const left = Date.parse(secret.next_rotation_at) - at;
  if (left <= 0) return 'overdue';
  return left <= SOON_DAYS * DAY ? 'soon' : 'later';
}

/** `overdue 3 d`, `due in 12 d`; with what quiets it when somebody answered. */
export function dueWords(secret: SecretMetadata, at: number = now.value): string {
  if (secret.next_rotation_at === null) return 'no date';
  const left = Date.parse(secret.next_rotation_at) - at;
  if (left > 0) return `due in ${span(left)}`;
  return left > -60_000 ? 'due now' : `overdue ${span(left)}`;
}

/** The day that a time is on where the reader is, as `2026-11-24`. */
export function dayKey(time: string | number): string {
  const at = new Date(time);
  const two = (number: number) => String(number).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
