import { describe, expect, test } from 'vitest';
import { runHistories } from './audit-histories.ts';
import { makeEmbedded } from './embedded-host.ts';
import type { MakeStores } from './host.ts';

// `npm run prove:audit` runs ten thousand of them.
describe('histories with faults at every kind of call', () => {
  test('lose no record, keep none twice, and let no value out without one', async () => {
    const { injected, problems } = await runHistories(makeEmbedded, 1, 100);
    expect(problems).toEqual([]);
    expect(injected.size).toBeGreaterThan(50);
  }, 120_000);

  test('are seen through when a store forgets what it said it kept', async () => {
    const forgetful: MakeStores = async (now) => {
      const host = await makeEmbedded(now);
      return { ...host, outbox: { held: async () => ({ items: [] }), append: async () => undefined } };
    };
    const { problems } = await runHistories(forgetful, 1, 30);
    expect(problems).toContainEqual(expect.stringMatching(/got a value without a record$/));
    expect(problems).toContainEqual(expect.stringMatching(/was lost$/));
  }, 120_000);
});
