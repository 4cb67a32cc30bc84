import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fillConfig, type ScannedConfig, scanConfig } from '../../../shared/contract/references.ts';

function scan(config: unknown): ScannedConfig {
  return scanConfig(config, 64) ?? expect.fail('too deep');
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

// The budget is by how many bytes of JSON the config may grow, so that the whole answer's limit is exact.
describe('the budget', () => {
  test.each([
    ['a whole value', '{{secrets.aaaa}}', 'x'.repeat(26), 10],
    ['one shorter than its reference', '{{secrets.aaaa}}', 'x', -15],
    ['embedded ones', '{{secrets.aaaa}}-{{secrets.aaaa}}', 'x'.repeat(26), 20],
    ['places of their own', ['{{secrets.aaaa}}', '{{secrets.aaaa}}'], 'x'.repeat(26), 20],
    ['letters of two bytes', '{{secrets.aaaa}}', 'é'.repeat(13), 10],
    ['surrogate pairs', '{{secrets.aaaa}}', '😀'.repeat(5), 4],
    ['control characters', '{{secrets.aaaa}}', '\u0001'.repeat(5), 14],
    ['quotes', 'x{{secrets.aaaa}}', '"'.repeat(13), 10],
    ['a number', '{{secrets.aaaa}}', 10 ** 20, 3],
    ['an object', '{{secrets.aaaa}}', { text: 'x'.repeat(26) }, 19],
    ['an embedded object, whose quotes are escaped', ':{{secrets.aaaa}}', { t: 'x'.repeat(9) }, 5],
    [
      'text around it, which the config has already',
      `${'y'.repeat(999)}{{secrets.aaaa}}`,
      'x'.repeat(26),
      10,
    ],
    ['an escaped one, which gets shorter', '\\{{secrets.a}}', '', -2],
  ])('%s', (_what, config, value, growth) => {
    const fits = (budget: number) => fillConfig(scan(structuredClone(config)), () => value, budget);
    expect([fits(growth), fits(growth - 1)]).toEqual([true, false]);
  });

  test.each([[['{{secrets.long}}', '{{secrets.s}}']], [['{{secrets.s}}', '{{secrets.long}}']]])(
    'a value that gets shorter makes room for another one: %j',
    (config) => {
      const fits = (length: number) =>
        fillConfig(scan([...config]), ({ key }) => (key === 's' ? 'x'.repeat(length) : ''), 0);
      expect([fits(29), fits(30)]).toEqual([true, false]);
    },
  );

  test('is enough exactly when the config grows by no more', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('{{secrets.a}}', '{{secrets.b.c}}', '\\{{secrets.a}}', '"{{ secrets.a }}"', '\n'),
    );
    const strings = fc.array(fc.array(text, { maxLength: 4 }).map((parts) => parts.join('')));
    const values = fc.record({ a: fc.string({ unit: 'grapheme' }), 'b.c': fc.jsonValue() });
    fc.assert(
      fc.property(strings, values, (config, values) => {
        const lookUp = ({ key }: { key: string }) => values[key as 'a' | 'b.c'];
        const before = jsonBytes(config);
        const free = scan([...config]);
        fc.pre(free.slots.length > 0);
        expect(fillConfig(free, lookUp, Number.POSITIVE_INFINITY)).toBe(true);
        const growth = jsonBytes(free.root.config) - before;
        expect(fillConfig(scan([...config]), lookUp, growth)).toBe(true);
        expect(fillConfig(scan([...config]), lookUp, growth - 1)).toBe(false);
      }),
    );
  });
});

describe('what would be gigabytes', () => {
  const large = 'x'.repeat(64_000);

  test.each([
    ['in one string', '{{secrets.a.f}}'.repeat(60_000), large],
    ['in one string, as JSON', '{{secrets.a.f}}'.repeat(60_000), { text: large }],
    ['in places of their own', Array.from({ length: 60_000 }, () => '{{secrets.a.f}}'), large],
  ])('is refused as soon as the budget is gone: %s', (_what, config, value) => {
    let asked = 0;
    const lookUp = () => {
      asked += 1;
      return value;
    };
    expect(fillConfig(scan(config), lookUp, 4_000_000)).toBe(false);
    // The references' own text makes room for less than a million bytes.
    expect(asked).toBeLessThan(100);
  });

  test('a string that is refused is left as it was', () => {
    const config = { text: '{{secrets.a}}{{secrets.a}}' };
    expect(fillConfig(scan(config), () => large, 64_100)).toBe(false);
    expect(config.text).toBe('{{secrets.a}}{{secrets.a}}');
  });
});
