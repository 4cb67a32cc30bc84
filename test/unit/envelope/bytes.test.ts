import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthPrefixed } from '../../../shared/envelope/bytes.ts';

/** Reads the fields back: what can be read back in one way only is unambiguous. */
function fieldsOf(bytes: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

describe('lengthPrefixed', () => {
  it.each([
    { fields: [], hex: '' },
    { fields: [''], hex: '00000000' },
    { fields: ['ab', 'c'], hex: '00000002' + '6162' + '00000001' + '63' },
    { fields: ['é'], hex: '00000002' + 'c3a9' },
    { fields: [Buffer.of(0, 255)], hex: '00000002' + '00ff' },
  ])('writes $fields as $hex', ({ fields, hex }) => {
    expect(lengthPrefixed(fields).toString('hex')).toBe(hex);
  });

  it('gives the fields back, so that no two lists give the same bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (fields) => {
        expect(fieldsOf(lengthPrefixed(fields))).toEqual(fields.map((field) => Buffer.from(field)));
      }),
    );
  });

  it('tells lists apart that are the same once they are joined', () => {
    const splits = fc.tuple(fc.string({ minLength: 1, maxLength: 8 }), fc.nat(), fc.nat());
    fc.assert(
      fc.property(splits, ([text, i, j]) => {
        const [a, b] = [i % (text.length + 1), j % (text.length + 1)];
        fc.pre(a !== b);
        const left = lengthPrefixed([text.slice(0, a), text.slice(a)]);
        expect(left.equals(lengthPrefixed([text.slice(0, b), text.slice(b)]))).toBe(false);
      }),
    );
  });
});
