/**
 * JSON whose numbers lose no digit. By the text of it: Node 20 does not tell a reviver how a number was written.
 */

// Strings as well, so that what looks like a number within one is passed over.
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
// Fewer digits, without an exponent, are never rounded.
const MAY_BE_ROUNDED = /[\d.]{16}|\d[eE]/;

/**
 * Reads JSON. A number that JavaScript would round, for example a 20-digit account id, becomes the text that it
 * was written as.
 * @throws SyntaxError when it is none
 */
export function parseJson(text: string): unknown {
  if (!MAY_BE_ROUNDED.test(text)) return JSON.parse(text);
  return JSON.parse(
    text.replace(TOKEN, (token) => (token.startsWith('"') || isExact(token) ? token : `"${token}"`)),
  );
}

/** The numbers of a text that is JSON, as they are written. */
export function numbersIn(text: string): string[] {
  return (text.match(TOKEN) ?? []).filter((token) => !token.startsWith('"'));
}

/** Compared as written: 0.1 is no binary fraction, but comes out as it went in. */
function isExact(number: string): boolean {
  return normal(number) === normal(String(Number(number)));
}

/** One spelling for each number: its digits without zeros around them, and the power of ten. */
function normal(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return whole === '' ? number : '0'; // Infinity has no digits
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  return `${sign}${significant}e${power}`;
}
