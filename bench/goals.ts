import type { Price } from './aws.ts';
import { COLD, COLD_EMPTY, COLD_OURS } from './cold.ts';
import type { Figures } from './figures.ts';
import { ENVELOPE } from './floor.ts';
import { RESOLVE } from './growth.ts';
import { BARE, CONFIG, oneReference, writeOf } from './serving.ts';

/** What the bench is asked, and what it found. */
export interface Goal {
  readonly text: string;
  /** Null when there was nobody to compare with. */
  readonly found: number | null;
  readonly isAtLeast: boolean;
  readonly bound: number;
}

const OURS = 'FlowMason Secrets, embedded';

/** Every goal with what was found. Ratios are of medians that were taken side by side. */
export function goalsOf(figures: Figures, prices: readonly Price[]): Goal[] {
  const at = (work: string, contender: string, unit: string) => figures.median(work, contender, unit);
  const ratio = (one: number | null, other: number | null) =>
    one === null || other === null ? null : one / other;
  /** The best of the peers, whatever they are called. */
  const peers = (
    work: string,
    unit: string,
    best: (...values: number[]) => number,
    storage = /raft|file/,
  ) => {
    const found = figures
      .ofWork(work)
      .filter(({ contender, unit: its }) => its === unit && storage.test(contender))
      .map(({ contender }) => at(work, contender, unit))
      .filter((value) => value !== null);
    return found.length === 0 ? null : best(...found);
  };
  const many = oneReference(64);
  const price = prices.find(({ size }) => size === 50);
  const goal = (text: string, found: number | null, isAtLeast: boolean, bound: number): Goal => {
    return { text, found, isAtLeast, bound };
  };
  return [
    goal(
      '50-reference config: the best peer’s wall ÷ ours',
      ratio(peers(CONFIG, 'ms', Math.min), at(CONFIG, OURS, 'ms')),
      true,
      10,
    ),
    goal(
      'one reference, 64 connections: our requests a second ÷ the best peer’s',
      ratio(at(many, OURS, 'a second'), peers(many, 'a second', Math.max)),
      true,
      3,
    ),
    goal(
      'one reference, 64 connections: our p99 ÷ the best peer’s',
      ratio(at(many, OURS, 'p99 ms'), peers(many, 'p99 ms', Math.min)),
      false,
      0.1,
    ),
    goal(
      'one reference, 1 connection: our p50 ÷ the best peer’s, whose record is not synced',
      ratio(at(oneReference(1), OURS, 'p50 ms'), peers(oneReference(1), 'p50 ms', Math.min)),
      false,
      1,
    ),
    goal(
      'durable write, 64 connections: ours ÷ the peer’s on raft',
      ratio(at(writeOf(64), OURS, 'a second'), peers(writeOf(64), 'a second', Math.max, /raft/)),
      true,
      5,
    ),
    goal(
      'envelope, open of 1 KB ÷ bare HKDF and GCM',
      ratio(at(ENVELOPE, 'FlowMason Secrets', 'µs'), at(ENVELOPE, 'bare HKDF and AES-256-GCM', 'µs')),
      false,
      2,
    ),
    goal(
      'envelope: the AWS Encryption SDK’s open ÷ ours',
      ratio(at(ENVELOPE, 'AWS Encryption SDK for JavaScript', 'µs'), at(ENVELOPE, 'FlowMason Secrets', 'µs')),
      true,
      10,
    ),
    goal(
      'resolve at 10⁶ secrets ÷ at 10³, p50',
      ratio(at(RESOLVE, '1,000,000 secrets', 'ms'), at(RESOLVE, '1,000 secrets', 'ms')),
      false,
      1.3,
    ),
    goal(
      'resolve of one reference ÷ bare node:http, requests a second, 64 connections',
      ratio(at(many, OURS, 'a second'), at(many, BARE, 'a second')),
      true,
      0.2,
    ),
    goal(
      'cold start of the resolve function ÷ an empty one',
      ratio(at(COLD, COLD_OURS, 'ms'), at(COLD, COLD_EMPTY, 'ms')),
      false,
      2.2,
    ),
    goal(
      'price of a million 50-reference resolves ÷ Secrets Manager’s',
      price === undefined ? null : price.dollars / price.secretsManager,
      false,
      0.2,
    ),
  ];
}
