import assert from 'node:assert/strict';
import { formsOf } from '../../client/derived.ts';
import { Redactor } from '../../client/redaction.ts';

/**
 * The first line says how to cut, the next ones are secrets up to an empty one, the rest is a text: cut anywhere, it
 * comes out as in one piece, without a secret in any form; without any in it, as it was.
 */
export function fuzz(bytes: Buffer): void {
  const lines = bytes.toString('utf8').split('\n');
  const end = lines.indexOf('', 1);
  const secrets = lines.slice(1, end < 0 ? lines.length : end).slice(0, 8);
  const redactor = new Redactor(secrets);
  const known = secrets.filter((secret) => new Redactor().add(secret) === null);
  const forms = known.flatMap((secret) => [...formsOf(secret)]);
  const rest = end < 0 ? '' : lines.slice(end + 1).join('\n');
  const text = rest + forms.slice(0, 3).join(rest.slice(0, 3));
  const redacted = redactor.redact(text);
  if (!forms.some((form) => text.includes(form))) assert.equal(redacted, text);
  // What a mask makes together with its neighbours is none of the value's doing.
  for (const piece of redacted.split('****...****')) {
    if (forms.some((form) => '****...****'.includes(form))) break;
    for (const form of forms) assert.ok(!piece.includes(form), 'a form of a secret is left');
  }
  const sizes = [...(lines[0] ?? '')].map((letter) => (letter.codePointAt(0) ?? 0) % 17);
  const stream = redactor.stream();
  let out = '';
  for (let at = 0, count = 0; at < text.length; count += 1) {
    const size = 1 + (sizes[count % Math.max(1, sizes.length)] ?? 3);
    out += stream.feed(text.slice(at, at + size));
    at += size;
  }
  assert.equal(out + stream.flush(), redacted);
}
