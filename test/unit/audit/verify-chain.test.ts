import { describe, expect, it } from 'vitest';
import { canonicalJson, emptyChain, linkRecords, recordHash } from '../../../shared/audit/chain.ts';
import { CompactTree } from '../../../shared/audit/merkle.ts';
import { ChainVerifier, linkProblem } from '../../../shared/audit/verify-chain.ts';
import { busyEvent, busyOrg } from '../../testkit/busy-log.ts';

const MISSING = 'is missing, or records stand in another order';
const CHANGED = 'was changed';
const NOT_AFTER = 'does not follow the record before it';

const start = emptyChain(busyOrg);
const records = linkRecords(
  start,
  Array.from({ length: 12 }, (_, at) => busyEvent(at)),
);
/** The record of a sequence. */
const at = (sequence: number) => records[sequence - 1] ?? fail();
const leafOf = (sequence: number) => Buffer.from(at(sequence).hash, 'hex');

function fail(): never {
  throw new TypeError('no such record');
}

/** A record that says something else, and is whole. */
function changed(sequence: number, fields: object) {
  const said = JSON.parse(Buffer.from(at(sequence).bytes).toString()) as object;
  const bytes = Buffer.from(canonicalJson({ ...said, ...fields }));
  return { ...at(sequence), bytes, hash: recordHash(bytes) };
}

/** A checkpoint of the first so many records. */
function checkpointAt(size: number) {
  const tree = new CompactTree();
  for (const { hash } of records.slice(0, size)) tree.add(Buffer.from(hash, 'hex'));
  return { org: busyOrg, size, root: tree.root(), time: '2026-01-01T00:00:00.000Z', expired: 0 };
}

/** Has looked at the first so many records, without their leaves. */
function verifierAfter(size: number): ChainVerifier {
  const verifier = new ChainVerifier(start);
  for (const record of records.slice(0, size)) expect(verifier.add(record, null)).toBeNull();
  return verifier;
}

describe('linkProblem', () => {
  it('is none between a record and the next', () => {
    expect(linkProblem(at(1), start)).toBeNull();
    expect(linkProblem(at(5), at(4))).toBeNull();
  });

  it.each([
    ['a record is skipped', at(6), at(4), MISSING],
    ['a record comes again', at(4), at(4), MISSING],
    ['it has the place of another', { ...at(6), sequence: 5 }, at(4), MISSING],
    ['its bytes are not those of its hash', { ...at(5), bytes: at(6).bytes }, at(4), CHANGED],
    ['it says another sequence', changed(5, { sequence: 6 }), at(4), MISSING],
    ['it says no number', changed(5, { sequence: '5' }), at(4), CHANGED],
    ['it says nothing of its sequence', changed(5, { sequence: undefined }), at(4), CHANGED],
    ['it follows another', changed(5, { previous: at(3).hash }), at(4), NOT_AFTER],
    ['it follows nothing', changed(5, { previous: undefined }), at(4), NOT_AFTER],
    ['the one before it is another', at(5), { sequence: 4, hash: at(3).hash }, NOT_AFTER],
  ])('when %s', (_what, record, last, problem) => {
    expect(linkProblem(record, last)).toBe(problem);
  });

  it.each(['', '{', 'null', '7', '[]'])('of bytes that are no record: %j', (text) => {
    const bytes = Buffer.from(text);
    expect(linkProblem({ sequence: 5, bytes, hash: recordHash(bytes) }, at(4))).toBe(CHANGED);
  });
});

describe('ChainVerifier', () => {
  it('knows where it is: size, hash and root', () => {
    const verifier = verifierAfter(7);
    expect([verifier.size, verifier.hash]).toEqual([7, at(7).hash]);
    expect(verifier.root()).toEqual(checkpointAt(7).root);
    expect(new ChainVerifier(start).size).toBe(0);
  });

  it('takes every record with its own leaf', () => {
    const verifier = new ChainVerifier(start);
    for (const record of records) expect(verifier.add(record, leafOf(record.sequence))).toBeNull();
    expect(verifier.root()).toEqual(checkpointAt(12).root);
  });

  it('goes on behind records that it never saw, from the roots of their tree', () => {
    const tree = checkpointAt(8);
    const verifier = new ChainVerifier(at(8), [tree.root]);
    expect(verifier.add(at(9), null)).toBeNull();
    expect(verifier.agrees(checkpointAt(9))).toBeNull();
  });

  it('hashes a record itself where none is told', () => {
    const { hash: _untold, ...record } = at(1);
    expect(new ChainVerifier(start).add(record, null)).toBeNull();
    const told = { ...at(1), hash: at(2).hash };
    expect(new ChainVerifier(start).add(told, null)).toEqual({ sequence: 1, reason: CHANGED });
  });

  it('names a record that is not its leaf, as changed or as another one', () => {
    expect(verifierAfter(4).add(changed(5, { extra: 1 }), leafOf(5))).toEqual({
      sequence: 5,
      reason: CHANGED,
    });
    expect(verifierAfter(4).add(at(6), leafOf(5))).toEqual({ sequence: 5, reason: MISSING });
  });

  it('names the record before, when one that is whole follows another than it', () => {
    const verifier = verifierAfter(4);
    expect(verifier.add(changed(5, { extra: 1 }), null)).toBeNull();
    expect(verifier.add(at(6), null)).toEqual({ sequence: 5, reason: CHANGED });
  });

  it('names the follower itself, when the one before it is proven by its checkpoint', () => {
    const verifier = verifierAfter(4);
    expect(verifier.agrees(checkpointAt(4))).toBeNull();
    const other = changed(5, { previous: at(3).hash });
    expect(verifier.add(other, null)).toEqual({ sequence: 5, reason: NOT_AFTER });
  });

  it('names the follower itself, when its own leaf proves it', () => {
    const other = changed(5, { previous: at(3).hash });
    const verifier = verifierAfter(4);
    expect(verifier.add(other, Buffer.from(other.hash, 'hex'))).toEqual({ sequence: 5, reason: NOT_AFTER });
  });

  it('names the first record, when it follows something else than nothing', () => {
    const other = changed(1, { previous: at(3).hash });
    expect(new ChainVerifier(start).add(other, null)).toEqual({ sequence: 1, reason: NOT_AFTER });
  });

  it('names what is missing by its place', () => {
    expect(verifierAfter(4).add(at(6), null)).toEqual({ sequence: 5, reason: MISSING });
  });

  it('says of a checkpoint that differs which records it speaks of', () => {
    const reason =
      'this record or one after it, up to 6, is not what the checkpoint of 2026-01-01T00:00:00.000Z covers';
    const verifier = verifierAfter(4);
    expect(verifier.agrees(checkpointAt(4))).toBeNull();
    for (const record of records.slice(4, 6)) expect(verifier.add(record, null)).toBeNull();
    const wrong = { ...checkpointAt(6), root: checkpointAt(5).root };
    expect(verifier.agrees(wrong)).toEqual({ sequence: 5, reason });
    // One of another size agrees with nothing, whatever its root.
    expect(verifier.agrees({ ...checkpointAt(6), size: 7 })).toMatchObject({ sequence: 5 });
    expect(verifier.agrees(checkpointAt(6))).toBeNull();
  });

  it('from the beginning, a checkpoint that differs speaks of the first record', () => {
    const verifier = verifierAfter(2);
    expect(verifier.agrees({ ...checkpointAt(2), root: checkpointAt(3).root })).toMatchObject({
      sequence: 1,
    });
  });
});
