import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  type Checkpoint,
  checkpointText,
  keyId,
  openNote,
  signedNote,
} from '../../../shared/audit/checkpoint.ts';
import { organizationId } from '../../../shared/contract/ids.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const org = organizationId.parse('acme');
const checkpoint: Checkpoint = {
  org,
  size: 42,
  root: Buffer.alloc(32, 7),
  time: '2026-01-31T12:00:00.000Z',
  expired: 0,
};

function noteOf(text: string, key = privateKey): string {
  return signedNote(text, org, sign('sha256', Buffer.from(text), key), publicKey);
}

test('a note is a checkpoint of C2SP with our signature', () => {
  const note = noteOf(checkpointText(checkpoint));
  expect(note.split('\n').slice(0, 5)).toEqual([
    'flowmason-secrets/acme',
    '42',
    Buffer.alloc(32, 7).toString('base64'),
    'time 2026-01-31T12:00:00.000Z',
    '',
  ]);
  expect(note).toMatch(/\n\n— flowmason-secrets\/acme [A-Za-z0-9+/=]+\n$/);
  expect(openNote(note, publicKey)).toEqual(checkpoint);
});

test('signatures of others may stand beside ours', () => {
  const note = noteOf(checkpointText(checkpoint));
  const witness = `— witness.example ${Buffer.alloc(68, 1).toString('base64')}\n`;
  expect(openNote(note + witness, publicKey)).toEqual(checkpoint);
  expect(openNote(note.replace('\n\n', `\n\n${witness}`), publicKey)).toEqual(checkpoint);
});

test('every change of every character is refused', () => {
  const note = noteOf(checkpointText(checkpoint));
  for (let at = 0; at < note.length - 1; at++) {
    const changed = `${note.slice(0, at)}${note[at] === 'x' ? 'y' : 'x'}${note.slice(at + 1)}`;
    expect(openNote(changed, publicKey), `character ${at}`).toBeNull();
  }
});

test('a signature has one spelling: spare bits of its last character are refused', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const text = checkpointText(checkpoint);
  // A DER signature has 70 to 72 bytes; not all of them end in spare bits.
  const padded = Array.from({ length: 64 }, () => noteOf(text)).find((note) => note.endsWith('=\n')) ?? '';
  const last = padded.lastIndexOf('\n') - (padded.endsWith('==\n') ? 3 : 2);
  const spellings = [...alphabet].map((char) => `${padded.slice(0, last)}${char}${padded.slice(last + 1)}`);
  expect(spellings.filter((note) => openNote(note, publicKey) !== null)).toEqual([padded]);
});

test.each([
  [
    'another key',
    noteOf(checkpointText(checkpoint), generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
  ],
  ['no signature', `${checkpointText(checkpoint)}\n`],
  ['another origin', noteOf(checkpointText(checkpoint).replace('flowmason-secrets', 'else'))],
  ['a root of another length', noteOf(checkpointText({ ...checkpoint, root: Buffer.alloc(31) }))],
  ['not a note', 'flowmason-secrets/acme'],
])('refused: %s', (_what, note) => {
  expect(openNote(note, publicKey)).toBeNull();
});

test('a key is named by the beginning of its hash', () => {
  expect(keyId(publicKey)).toHaveLength(4);
});
