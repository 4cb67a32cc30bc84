import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numbersIn, parseJson } from '../../../client/numbers.ts';
import { testSeed } from '../../testkit/random.ts';

describe('JSON', () => {
  test.each([
    ['0', 0],
    ['-0', -0],
    ['1.50', 1.5],
    ['1E3', 1000],
    ['100000000000000000000000', 1e23],
    ['9007199254740993', '9007199254740993'],
    ['-12345678901234567890', '-12345678901234567890'],
    ['0.12345678901234567890', '0.12345678901234567890'],
    ['0.1000000000000000000', 0.1],
    ['1e999', '1e999'],
    ['1e-999', '1e-999'],
    ['0e-999', 0],
    ['"12345678901234567890"', '12345678901234567890'],
    ['"\\"12345678901234567890\\\\"', '"12345678901234567890\\'],
    [
      '{"a":[9007199254740993,{"12345678901234567890":1}]}',
      { a: ['9007199254740993', { '12345678901234567890': 1 }] },
    ],
  ])('%s', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  test.each(['', '{', '01', '1.', '"\n"', '[1,]', '+12345678901234567890', '12345678901234567890 1'])(
    'is not %j',
    (text) => {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    },
  );

  test('of any kind is what JavaScript reads', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { seed: testSeed(), numRuns: 500 },
    );
  });

  test('of five megabytes', () => {
    const text = JSON.stringify({ long: `${'\\"x'.repeat(800_000)}1e5`, n: [1e5, 12345678901] });
    expect(parseJson(text)).toEqual(JSON.parse(text));
    const plain = `{"long":"${'x'.repeat(5_000_000)}","n":12345678901234567890}`;
    expect(parseJson(plain)).toMatchObject({ n: '12345678901234567890' });
  });
});

test('the numbers of a text, as they are written', () => {
  expect(numbersIn('{"a 1":[1.50,-2e+3,"4"],"b":12345678901234567890}')).toEqual([
    '1.50',
    '-2e+3',
    '12345678901234567890',
  ]);
});
