import { describe, expect, test } from 'vitest';
import { shellTexts } from '../../../cli/shell-text.ts';
import { Random, testSeed } from '../../testkit/random.ts';

const { bash, fish, powershell, 'env-file': envFile } = shellTexts;
const bytes = (text: string) => Buffer.from(text);

/**
 * Reads an assignment as PowerShell's about_Quoting_Rules says: within single quotes a doubled one is one, and
 * nothing else means anything; beside them only what is written here: `[char]N`, `-join (…)` and `+`.
 */
function readPowershell(line: string): string {
  const assigned = /^\$env:\w+ = (.*)\n$/s.exec(line)?.[1];
  expect(assigned).toMatch(/^[ -~]*$/);
  let text = '';
  const token = /'((?:[^']|'')*)'|\[char\](\d+)|[(),+ ]|-join|\.ToString\(\)/y;
  for (token.lastIndex = 0; token.lastIndex < (assigned ?? '').length; ) {
    const found = token.exec(assigned ?? '');
    if (found === null) throw new Error('there is something else in it');
    if (found[1] !== undefined) text += found[1].replaceAll("''", "'");
    if (found[2] !== undefined) text += String.fromCharCode(Number(found[2]));
  }
  return text;
}

describe('PowerShell', () => {
  test.each([
    ['x', "$env:A = 'x'\n"],
    ["it's $(x) `n", "$env:A = 'it''s $(x) `n'\n"],
    ['\n', '$env:A = ([char]10).ToString()\n'],
    ['a\r\nb', "$env:A = ('a' + (-join ([char]13,[char]10)) + 'b')\n"],
    // PowerShell takes this quote for a single one, too.
    ['\u2019', '$env:A = ([char]8217).ToString()\n'],
  ])('%j', (text, written) => {
    expect(powershell.write({ variable: 'A', bytes: bytes(text) })).toBe(written);
  });

  test('whatever is written is read again, and is ASCII', () => {
    const random = new Random(testSeed());
    for (let count = 0; count < 500; count += 1) {
      const text = Array.from({ length: 1 + random.below(20) }, () =>
        String.fromCodePoint(1 + random.below(0xd7ff)),
      ).join('');
      expect(readPowershell(powershell.write({ variable: 'A', bytes: bytes(text) }))).toBe(text);
    }
  });

  test('bytes that are no text are refused', () => {
    expect(powershell.refusal(Buffer.from([0xff]))).toMatch(/no text/);
    expect(powershell.refusal(bytes('é'))).toBeNull();
  });
});

test('bash: single quotes where they do, else each byte that is not plain in three octal digits', () => {
  expect(bash.write({ variable: 'A', bytes: bytes("it's $(x) é") })).toBe("export A='it'\\''s $(x) é'\n");
  expect(bash.write({ variable: 'A', bytes: bytes("\n7'\\") })).toBe("export A=$'\\0127\\047\\134'\n");
});

test('fish: what is not plain stands as bytes beside the quotes', () => {
  expect(fish.write({ variable: 'A', bytes: bytes("a'\\é\nb") })).toBe(
    "set -gx A 'a\\'\\\\'\\Xc3\\Xa9\\X0a'b'\n",
  );
});

test('a NUL goes nowhere; an env-file carries neither line breaks nor the longest', () => {
  for (const text of Object.values(shellTexts)) expect(text.refusal(Buffer.from([97, 0]))).toMatch(/NUL/);
  expect(envFile.refusal(bytes('a\nb'))).toMatch(/line break/);
  expect(envFile.refusal(bytes('a\r'))).toMatch(/carriage return/);
  expect(envFile.refusal(Buffer.alloc(65_536, 'x'))).toMatch(/longer/);
  expect(envFile.refusal(bytes('a\rb "quoted" #'))).toBeNull();
});
