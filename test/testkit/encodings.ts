/** A text in the forms that it could leak in. */
export function encodingsOf(text: string): ReadonlyMap<string, Buffer> {
  const utf8 = Buffer.from(text, 'utf8');
  const forms = new Map<string, Buffer>();
  const add = (name: string, form: string | Buffer) =>
    forms.set(name, typeof form === 'string' ? Buffer.from(form) : form);
  add('utf8', utf8);
  add('utf16le', Buffer.from(text, 'utf16le'));
  add('utf16be', Buffer.from(text, 'utf16le').swap16());
  add('hex', utf8.toString('hex'));
  add('HEX', utf8.toString('hex').toUpperCase());
  for (const offset of [0, 1, 2]) {
    add(`base64 at offset ${offset}`, base64At(utf8, offset, 'base64'));
    add(`base64url at offset ${offset}`, base64At(utf8, offset, 'base64url'));
  }
  add('URL-encoded', percent(utf8));
  add('URL-encoded twice', percent(utf8).replaceAll('%', '%25'));
  add('URL-encoded in lower case', percent(utf8).toLowerCase());
  add('encodeURIComponent', encodeURIComponent(text));
  add('JSON-escaped', JSON.stringify(text).slice(1, -1));
  add('reversed', Buffer.from(utf8).reverse());
  return forms;
}

/** The characters of base64 that the text alone decides, wherever in a longer text it stands. */
function base64At(bytes: Buffer, offset: number, encoding: 'base64' | 'base64url'): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString(encoding)
    .replace(/=+$/, '');
  const first = [0, 2, 3][offset] ?? 0;
  const isWhole = (offset + bytes.length) % 3 === 0;
  return encoded.slice(first, isWhole ? undefined : -1);
}

function percent(bytes: Buffer): string {
  return [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
}

const made = new Map<string, ReadonlyMap<string, Buffer>>();

/** In which forms a text stands in some bytes. */
export function findForms(text: string, bytes: Buffer): string[] {
  const forms = made.get(text) ?? encodingsOf(text);
  made.set(text, forms);
  return [...forms].filter(([, form]) => bytes.includes(form)).map(([name]) => name);
}
