import { randomBytes } from 'node:crypto';
import type { RotatorConfig } from '../contract/rotators.ts';

/** One rotation of one secret, as a rotator sees it. */
export interface Turn {
  readonly rotation_id: string;
  readonly dry_run: boolean;
  /** What identifies the secret, in the words of the API. */
  readonly secret: Readonly<Record<string, unknown>>;
  /** The pending version's number, once there is one. */
  readonly version: number | null;
}

/**
 * What makes a new credential and lets an old one end. Each step may be carried out again after a crash, with
 * the same turn, and must then come to the same. What it throws is a {@link StepFailed}.
 */
export interface Rotator {
  /** Makes the new value; nothing that is in use may change. */
  create(turn: Turn, current: string): Promise<string>;
  /** Lets the new value work, and proves that it does. The current one must go on working. */
  test(turn: Turn, pending: string): Promise<void>;
  /** After the overlap: lets the previous value stop working. */
  finish(turn: Turn, previous: string): Promise<void>;
}

/** Why a step failed, in words that hold no value. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

/** A random token: nobody else has to know it. */
export function tokenRotator({ bytes, prefix }: Extract<RotatorConfig, { kind: 'token' }>): Rotator {
  return {
    create: async () => `${prefix}${randomBytes(bytes).toString('base64url')}`,
    test: async () => undefined,
    finish: async () => undefined,
  };
}
