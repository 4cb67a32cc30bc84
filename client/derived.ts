import { inspect } from 'node:util';
import { hasLength, MIN_LENGTH, whyLeftAlone } from './left-alone.ts';

/**
 * The forms in which a value turns up where it should not: as others encode it on the way to a log. The shared
 * vectors (test/vectors/redaction.json) fix what each one is, for every language that redacts.
 */

// What providers publish about their own keys: which kind it is, nothing of the key. Longest first.
const publicPrefixes = [
  ...['github_pat_', 'sk-proj-', 'sk_live_', 'sk_test_', 'pk_live_', 'pk_test_', 'rk_live_', 'rk_test_'],
  ...['sk-ant-', 'dop_v1_', 'glpat-', 'shpat_', 'xoxb-', 'xoxp-', 'xapp-', 'whsec_', 'ghp_', 'gho_', 'ghu_'],
  ...['ghs_', 'pypi-', 'npm_', 'AKIA', 'ASIA', 'AIza', 'fmk_', 'SG.', 'hf_', 'sk-'],
];

const PRINTED_BYTES = 50;
const pemFrame = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/;

/** What stands in its place: of one width, with the provider's public prefix if much more follows it. */
export function maskOf(value: string): string {
  const prefix = publicPrefixes.find(
    (start) => value.startsWith(start) && hasLength(value, start.length + MIN_LENGTH),
  );
  return `${prefix ?? ''}****...****`;
}

/** Each form of a value, once; those under 8 characters are left out. */
export function formsOf(value: string): ReadonlySet<string> {
  const forms = new Set([
    value,
    ...byteForms(Buffer.from(value, 'utf8')),
    ...jsonForms(value),
    ...markupForms(value),
    ...shellForms(value),
    ...printedForms(value),
  ]);
  for (const line of linesOf(value)) for (const form of [line, ...printedForms(line)]) forms.add(form);
  // UTF-8 that was read as Latin-1; by this form a stream of bytes is searched, too.
  for (const form of [...forms]) forms.add(Buffer.from(form, 'utf8').toString('latin1'));
  return withoutShort(forms);
}

/** Each form of bytes that are no UTF-8, once: as written for bytes, and as text that they were misread for. */
export function formsOfBytes(bytes: Buffer): ReadonlySet<string> {
  const latin1 = bytes.toString('latin1');
  const forms = new Set([...byteForms(bytes), pythonRepr(latin1, outsideAscii)]);
  for (const text of [latin1, bytes.toString('utf8')]) {
    // Of what replaces bytes, nothing could be told.
    if (!hasLength(text.replaceAll('\ufffd', ''), MIN_LENGTH)) continue;
    for (const form of formsOf(text)) forms.add(form);
  }
  return withoutShort(forms);
}

function withoutShort(forms: Set<string>): ReadonlySet<string> {
  for (const form of forms) if (!hasLength(form, MIN_LENGTH)) forms.delete(form);
  return forms;
}

function byteForms(bytes: Buffer): string[] {
  return [
    ...base64Forms(bytes),
    ...wrappedForms(base64At(bytes, 0)),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...numberForms(bytes),
    ...urlForms(bytes),
  ];
}

function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const text = base64At(bytes, offset);
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** The characters of base64 that the bytes alone decide, wherever in longer data they stand. */
function base64At(bytes: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const isWhole = (offset + bytes.length) % 3 === 0;
  return encoded.slice([0, 2, 3][offset], isWhole ? undefined : -1);
}

/** As `base64`, mail and PEM break it into lines. */
function wrappedForms(encoded: string): string[] {
  const lines = (width: number) => encoded.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
  return [lines(76).join('\n'), lines(76).join('\r\n'), lines(64).join('\n')];
}

/** As Node prints a Buffer, whose first bytes it shows, and as it writes one in JSON. */
function numberForms(bytes: Buffer): string[] {
  const shown = bytes.subarray(0, PRINTED_BYTES).toString('hex');
  return [shown.replace(/..(?!$)/g, '$& '), bytes.join(',')];
}

/** What stands for each byte when letters, digits and some marks are left as they are. */
function percentTable(safe: string): readonly string[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9]/.test(character) || safe.includes(character)) return character;
    return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

// What encodeURIComponent, Python's `quote`, HTML's forms and RFC 3986 leave as it is differs; all are in use.
const componentTables = ['-_.~', "-_.~!*'()", '-_.~/', '-_.*'].map(percentTable);
const pathTable = percentTable("/-_.~!$&'()*+,;=:@");

function urlForms(bytes: Buffer): string[] {
  const components = componentTables.flatMap((texts) => {
    const once = percentEncoded(bytes, texts);
    const lower = once.replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase());
    const twice = [once, lower].map((text) => text.replaceAll('%', '%25'));
    const formTwice = once.replaceAll('%', '%25').replaceAll('%2520', '%2B');
    return [once, lower, once.replaceAll('%20', '+'), formTwice, ...twice];
  });
  return [...components, percentEncoded(bytes, pathTable)];
}

/** @param texts what stands for each byte */
function percentEncoded(bytes: Buffer, texts: readonly string[]): string {
  let text = '';
  for (const byte of bytes) text += texts[byte];
  return text;
}

function jsonForms(value: string): string[] {
  const once = inJson(value);
  const ascii = once.replace(/[^ -~]/g, unitEscape);
  // As Go writes it, safe to stand in HTML.
  const inHtml = once.replace(/[<>&\u2028\u2029]/g, unitEscape);
  const more = [once, ascii].flatMap((text) => [
    text.replaceAll('/', '\\/'),
    inJson(text),
    // As Python shows it: within JSON there are double quotes, so it quotes the whole by single ones.
    text.replace(/[\\']/g, '\\$&'),
  ]);
  return [once, ascii, inHtml, ...more];
}

function unitEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function markupForms(value: string): string[] {
  const text = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const attribute = text.replaceAll('"', '&quot;');
  const apostrophes = ['&#x27;', '&#39;', '&apos;'].map((form) => attribute.replaceAll("'", form));
  const lines = [text, attribute].map((form) =>
    form.replaceAll('\n', '&#10;').replaceAll('\r', '&#13;').replaceAll('\t', '&#9;'),
  );
  return [text, attribute, ...lines, ...apostrophes, text.replaceAll('"', '&#34;').replaceAll("'", '&#39;')];
}

function shellForms(value: string): string[] {
  const single = ["'\\''", "'\"'\"'"].map((apostrophe) => value.replaceAll("'", () => apostrophe));
  const ansi = inJson(value).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return [...single, value.replace(/[\\"$`]/g, '\\$&'), ansi];
}

const outsideAscii = /[\\']|[^ -~]/gu;

/** As Python and Node print a string, or its bytes, that stand in something else. */
function printedForms(value: string): string[] {
  return [
    pythonRepr(value, /[\\'\p{C}\p{Z}]/gu),
    pythonRepr(value, outsideAscii),
    pythonRepr(Buffer.from(value, 'utf8').toString('latin1'), outsideAscii),
    inspect(value, { breakLength: Number.POSITIVE_INFINITY, maxStringLength: null }).slice(1, -1),
  ];
}

function pythonRepr(value: string, special: RegExp): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };
  return value.replace(special, (character) => {
    if (character === ' ') return character;
    if (character === "'") return quote === "'" ? "\\'" : character;
    return named[character] ?? pythonEscape(character.codePointAt(0) ?? 0);
  });
}

function pythonEscape(code: number): string {
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** Each line of several; the frame of a PEM file is no secret, and stands in many. */
function linesOf(value: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: whatever some terminal takes for the end of a line
  const lines = value.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length < 2) return [];
  return lines
    .map((line) => line.trim())
    .filter((line) => whyLeftAlone(line) === null && !pemFrame.test(line));
}
