import { describe, expect, it } from 'vitest';
import { codeOfRejection } from '../testkit/failure.ts';
import {
  auditOperations,
  callerOperations,
  type Operation,
  type Pick,
  secretOperations,
} from './history-operations.ts';
import type { MakeStores } from './host.ts';
import { at } from './samples.ts';

/** Numbers that look random and are the same for the same seed (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const makers = Object.entries({ ...secretOperations, ...callerOperations, ...auditOperations });

interface History {
  readonly operations: readonly Operation[];
  /** The host's clock at each operation. */
  readonly times: readonly string[];
}

function historyOf(seed: number, count: number): History {
  const random = seeded(seed);
  const pick: Pick = (from) => from[random(from.length)] ?? from[0];
  const times: string[] = [];
  const operations = Array.from({ length: count }, (_, index): Operation => {
    const moment = at(index + random(3));
    times.push(moment);
    // Half of the steps change secrets, or most saves would meet nothing.
    const [name, make] = pick(random(3) === 0 ? asChoice(makers.slice(0, 2)) : asChoice(makers));
    return { name, run: make(pick, moment) };
  });
  return { operations, times };
}

function asChoice<T>(items: readonly T[]): readonly [T, ...T[]] {
  const [first, ...rest] = items;
  if (first === undefined) throw new TypeError('nothing to choose from');
  return [first, ...rest];
}

/** An answer as text, the same for equal answers: bytes in base64, keys in order. */
function plain(answer: unknown): string {
  return JSON.stringify(answer, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value ?? null;
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    // What JSON.stringify hands on of a Buffer.
    if ('type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data))
      return Buffer.from(value.data).toString('base64');
    if (Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** What a history answers on one host, step by step, and what it leaves waiting. */
async function runHistory(make: MakeStores, { operations, times }: History): Promise<string[]> {
  let now = at(0);
  const host = await make(() => new Date(now));
  try {
    const answers: string[] = [];
    for (const [index, { name, run }] of operations.entries()) {
      now = times[index] ?? now;
      let answer = '';
      const code = await codeOfRejection(
        run(host).then((value) => {
          answer = plain(value ?? null);
        }),
      );
      answers.push(`${index} ${name}: ${code === 'nothing was thrown' ? answer : code}`);
    }
    const waiting = [...(await host.waiting())].sort();
    return [...answers, ...waiting];
  } finally {
    await host.close();
  }
}

/** A random history, from its seed, gives the same answers on both hosts. */
export function historySuite(makeOne: MakeStores, makeOther: MakeStores, seeds: readonly number[]): void {
  describe('a random history', () => {
    for (const seed of seeds) {
      it(`of seed ${seed} gives equal answers on both hosts`, async () => {
        // Made once: an operation says the same to both hosts, event ids included.
        const history = historyOf(seed, 400);
        expect(await runHistory(makeOther, history)).toEqual(await runHistory(makeOne, history));
      });
    }
  });
}
