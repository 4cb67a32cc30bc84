import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { emptyChain, eventText, linkRecords, recordHash } from '../../../shared/audit/chain.ts';
import { openNote } from '../../../shared/audit/checkpoint.ts';
import type { AuditEvent } from '../../../shared/audit/event.ts';
import { CompactTree, verifyConsistency, verifyInclusion } from '../../../shared/audit/merkle.ts';
import { organizationId } from '../../../shared/contract/ids.ts';

// test/readers/read_audit.py reads the same file by the documentation alone.

const vectors = z
  .object({
    org: organizationId,
    empty: z.string(),
    records: z.array(z.object({ event: z.looseObject({}), record: z.string(), hash: z.string() })),
    roots: z.array(z.string()),
    inclusion: z.array(z.array(z.string())),
    consistency: z.array(z.array(z.string())),
    public_key: z.string(),
    checkpoint: z.string(),
  })
  .parse(JSON.parse(readFileSync('test/vectors/audit.json', 'utf8')));

const { org, records } = vectors;
const size = records.length;
const bytes = (text: string) => Buffer.from(text, 'base64');
const roots = vectors.roots.map(bytes);
const lastRoot = bytes(vectors.roots.at(-1) ?? '');

test('records have their canonical bytes, whatever the order of the keys, and their hashes', () => {
  const events = records.map(({ event }) => event as unknown as AuditEvent);
  const linked = linkRecords(
    emptyChain(org),
    events.map((event) => ({ event, text: eventText(event) })),
  );
  expect(emptyChain(org).hash).toBe(vectors.empty);
  expect(linked.map((record) => Buffer.from(record.bytes).toString())).toEqual(
    records.map(({ record }) => record),
  );
  expect(linked.map(({ hash }) => hash)).toEqual(records.map(({ hash }) => hash));
});

test('the tree has each root, and each proof leads to the last', () => {
  const tree = new CompactTree();
  records.forEach(({ record }, index) => {
    const leaf = Buffer.from(recordHash(Buffer.from(record)), 'hex');
    tree.add(leaf);
    expect(tree.root()).toEqual(roots[index]);
    const proof = (vectors.inclusion[index] ?? []).map(bytes);
    expect(verifyInclusion(leaf, index, size, proof, lastRoot)).toBe(true);
    const older = { size: index + 1, root: roots[index] ?? Buffer.alloc(0) };
    const grown = (vectors.consistency[index] ?? []).map(bytes);
    expect(verifyConsistency(older, { size, root: lastRoot }, grown)).toBe(true);
  });
});

test('the checkpoint is of that tree, and signed', () => {
  const checkpoint = openNote(vectors.checkpoint, createPublicKey(vectors.public_key));
  expect(checkpoint).toMatchObject({ org, size, root: lastRoot });
});
