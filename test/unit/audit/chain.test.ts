import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  emptyChain,
  eventText,
  linkRecords,
  readRecordBytes,
} from '../../../shared/audit/chain.ts';
import type { AuditEvent } from '../../../shared/audit/event.ts';
import { organizationId } from '../../../shared/contract/ids.ts';

const acme = organizationId.parse('acme');

describe('canonicalJson', () => {
  it.each([
    [null, 'null'],
    [true, 'true'],
    [-0, '0'],
    [1e21, '1e+21'],
    ['', '""'],
    ['é€🔑', '"é€🔑"'],
    ['a"\\\n\u0001', '"a\\"\\\\\\n\\u0001"'],
    [[], '[]'],
    [[1, 'a', null, [2]], '[1,"a",null,[2]]'],
    [{}, '{}'],
    [{ b: 1, a: 2 }, '{"a":2,"b":1}'],
    [{ 10: 1, 9: 2, a: 3, A: 4 }, '{"10":1,"9":2,"A":4,"a":3}'],
    [{ a: undefined, b: 1 }, '{"b":1}'],
    [{ a: { d: 1, c: [{ f: 1, e: 2 }] } }, '{"a":{"c":[{"e":2,"f":1}],"d":1}}'],
    // RFC 8785, 3.2.3: keys in order of their UTF-16 code units.
    [
      { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u0080': 5, '🔑': 6, ö: 7 },
      '{"\\r":2,"1":4,"\u0080":5,"ö":7,"€":1,"🔑":6,"\ufb33":3}',
    ],
  ])('%j', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it('is the same for the same content in any order, and reads back to it', () => {
    const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null));
    const object = fc.dictionary(
      fc.string(),
      fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.string(), leaf)),
    );
    fc.assert(
      fc.property(object, (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.stringify(JSON.parse(canonicalJson(value)))).toBe(
          JSON.stringify(JSON.parse(canonicalJson(JSON.parse(JSON.stringify(value))))),
        );
      }),
    );
  });
});

function eventNamed(id: string): AuditEvent {
  const timestamp = '2026-01-31T12:00:00.000Z';
  return { id, org: acme, timestamp, action: 'start_run', outcome: 'success', secrets: [] };
}

describe('linkRecords', () => {
  const events = ['a', 'b', 'c'].map((id) => {
    const event = eventNamed(id);
    return { event, text: eventText(event) };
  });

  it('numbers the records and hashes each over its bytes, which name the one before', () => {
    let previous = createHash('sha256').update('flowmason/chain/v1/acme').digest('hex');
    const records = linkRecords(emptyChain(acme), events);
    records.forEach(({ bytes, hash, sequence, event_id }, index) => {
      const event = events[index]?.event;
      const text = canonicalJson({ event, previous, sequence: index + 1 });
      expect({ text: Buffer.from(bytes).toString(), sequence, event_id }).toEqual({
        text,
        sequence: index + 1,
        event_id: event?.id,
      });
      expect(readRecordBytes(bytes)).toEqual({ event, previous, sequence: index + 1 });
      previous = createHash('sha256').update(`\0${text}`).digest('hex');
      expect(hash).toBe(previous);
    });
  });

  it('gives the same chain in one piece and in several', () => {
    const [first, ...rest] = events;
    if (first === undefined) throw new TypeError('three events');
    const [one] = linkRecords(emptyChain(acme), [first]);
    if (one === undefined) throw new TypeError('one record');
    expect([one, ...linkRecords(one, rest)]).toEqual(linkRecords(emptyChain(acme), events));
  });

  it("begins otherwise in each organization, so that no record fits another one's chain", () => {
    expect(emptyChain(acme)).not.toEqual(emptyChain(organizationId.parse('rival')));
  });
});
