import type { QuietTime } from '../contract/reminders.ts';

/** What a reminder says of a secret; `escalated` goes to the organization's admins. */
export type StageKind = 'upcoming' | 'due' | 'overdue' | 'escalated';

/** A stage is announced once. `days` is how many are left of an upcoming one, or have passed of an overdue one. */
export interface Stage {
  readonly kind: StageKind;
  readonly days: number;
}

/** When a version began and becomes due. */
export interface Term {
  readonly since: string;
  readonly due_at: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days before it is due, from the earliest on. */
const AHEAD = [14, 7, 1] as const;
const DAILY_UNTIL = 7;
const WEEK = 7;
/** From then on the organization's admins are told. */
const ESCALATED_FROM = 35;

/** How long ahead anything is announced. */
export const LOOK_AHEAD_MS = AHEAD[0] * DAY_MS;

/**
 * The stage that a secret is in: 14, 7 and 1 days ahead; due; overdue for each of 7 days, then for 14, 21 and 28;
 * from 35 days on, each week, the admins' affair. Null when there is nothing to say. Pure: all that reminders
 * decide by the clock is decided here.
 */
export function stageAt({ since, due_at }: Term, now: Date): Stage | null {
  const left = Date.parse(due_at) - now.getTime();
  return left > 0 ? upcoming(Date.parse(due_at) - Date.parse(since), left) : late(Math.floor(-left / DAY_MS));
}

/** @param term how long the version was to last: what is rotated weekly needs no word 7 days ahead */
function upcoming(term: number, left: number): Stage | null {
  const days = AHEAD.findLast((ahead) => left <= ahead * DAY_MS);
  return days === undefined || days * DAY_MS >= term ? null : { kind: 'upcoming', days };
}

function late(days: number): Stage {
  if (days === 0) return { kind: 'due', days: 0 };
  if (days <= DAILY_UNTIL) return { kind: 'overdue', days };
  const weekly = days - (days % WEEK);
  return { kind: weekly < ESCALATED_FROM ? 'overdue' : 'escalated', days: weekly };
}

/** Whether somebody's answer covers a stage now: a snooze never keeps admins from hearing of it. */
export function isQuiet(quiet: QuietTime | null, stage: Stage, now: Date): boolean {
  if (quiet === null || Date.parse(quiet.until) <= now.getTime()) return false;
  return quiet.kind === 'ack' || stage.kind !== 'escalated';
}
