import { createPublicKey, type KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { recordHash } from '../../shared/audit/chain.ts';
import { type Checkpoint, openNote } from '../../shared/audit/checkpoint.ts';
import { checkpointAudit } from '../../shared/audit/checkpoint-audit.ts';
import { type ExportVerification, ExportVerifier } from '../../shared/audit/verify-export.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { call, itemsOf, jsonOf, newKey, newOrganization, record, services } from '../testkit/api.ts';

// Many changes are tried, each verified from the beginning: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 });

// An export, and somebody who can change it on its way to whoever verifies it with the key alone.

const org = organizationId.parse('acme');
let viewer = '';
let admin = '';
let key: KeyObject;
let lines: string[] = [];

async function exported(query: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const all: string[] = [];
  for (let sent = query; ; ) {
    const reply = await call('export-audit', { as: viewer, query: sent });
    expect(reply.status).toBe(200);
    all.push(...reply.text.split('\n').slice(0, -1));
    const next = /[?&]cursor=([^&>]+)/.exec(String(reply.headers['link'] ?? ''))?.[1];
    if (next === undefined) return all;
    sent = { ...query, cursor: next };
  }
}

function verify(export_: readonly string[], kept: Checkpoint | null = null): ExportVerification {
  const verifier = new ExportVerifier(key, kept);
  for (const line of export_) if (!verifier.add(Buffer.from(line))) break;
  return verifier.end();
}

const isRecord = (line: string) => line.startsWith('{"event":');
const noteOf = (line: string) => (JSON.parse(line) as { checkpoint: string }).checkpoint;

beforeAll(async () => {
  services.database.run('PRAGMA synchronous = OFF');
  admin = await newOrganization('acme');
  viewer = await newKey(admin, { role: 'viewer' });
  for (let batch = 0; batch < 3; batch++) {
    for (let i = 0; i < 6; i++)
      await call('create-secret', { as: admin, body: { name: `s${batch}_${i}`, value: 'v' } });
    await record();
    if (batch < 2) expect(await checkpointAudit(services, org)).toMatchObject({ org });
  }
  const answer = jsonOf(await call('audit-public-key', { as: viewer }));
  key = createPublicKey(String(answer['public_key']));
  await record();
  lines = await exported({ limit: '7' });
});

describe('an export', () => {
  it('verifies with the key alone, and says what no signature covers yet', () => {
    const result = verify(lines);
    expect(result).toEqual({
      verified: true,
      org: 'acme',
      before: 0,
      events: lines.filter(isRecord).length,
      checkpoints: 2,
      signed: { size: 14, time: expect.any(String) },
    });
    expect(result.events).toBe(21);
  });

  it('may begin anywhere that a checkpoint covers', async () => {
    for (const from of [1, 2, 3, 8, 9, 14, 15]) {
      const part = await exported({ from_sequence: String(from), limit: '5' });
      expect({ from, ...verify(part) }).toMatchObject({ from, verified: true, before: from - 1 });
      expect(part.filter(isRecord).slice(0, 22 - from)).toEqual(lines.filter(isRecord).slice(from - 1));
    }
    const reply = await call('export-audit', { as: viewer, query: { from_sequence: '16' } });
    expect(reply.status).toBe(422);
  });

  it('names each record that was changed, whichever byte', () => {
    lines.forEach((line, at) => {
      if (!isRecord(line)) return;
      const sequence = lines.slice(0, at + 1).filter(isRecord).length;
      const step = sequence % 7 === 0 ? 1 : 41;
      for (let byte = 0; byte < line.length; byte += step) {
        const changed = lines.with(at, flip(line, byte));
        const named = verify(changed).first_bad?.sequence;
        expect({ sequence, byte, named }).toEqual({ sequence, byte, named: sequence });
      }
    });
  });

  it('names the place of a record that was removed, repeated, swapped or added', () => {
    lines.forEach((line, at) => {
      if (!isRecord(line)) return;
      const sequence = lines.slice(0, at + 1).filter(isRecord).length;
      const other = lines.find((each, index) => index > at && isRecord(each));
      const changes = {
        removed: lines.toSpliced(at, 1),
        repeated: lines.toSpliced(at, 0, line),
        ...(other === undefined ? {} : { swapped: lines.with(at, other).with(lines.indexOf(other), line) }),
      };
      for (const [what, changed] of Object.entries(changes)) {
        const named = verify(changed).first_bad?.sequence;
        expect({ what, sequence, named }).toEqual({
          what,
          sequence,
          named: sequence + Number(what === 'repeated'),
        });
      }
    });
  });

  it('names where it was cut, at every line', () => {
    for (let kept = 0; kept < lines.length; kept++) {
      const result = verify(lines.slice(0, kept));
      const records = lines.slice(0, kept).filter(isRecord).length;
      expect({ kept, ...result }).toMatchObject({
        kept,
        verified: false,
        first_bad: { sequence: records + 1 },
      });
    }
  });

  it('finds a history made anew, at the next checkpoint', () => {
    for (const at of lines.keys()) {
      const line = lines[at] ?? '';
      if (!isRecord(line)) continue;
      const sequence = lines.slice(0, at + 1).filter(isRecord).length;
      const result = verify(relinked(at));
      if (sequence > 14) expect(result.verified).toBe(true);
      else
        expect(result).toMatchObject({
          verified: false,
          first_bad: { sequence: sequence <= 8 ? 1 : 9, reason: expect.stringContaining('checkpoint') },
        });
    }
  });

  it('finds what was done to checkpoints: forged, moved, of another log; and a cut with a kept one', async () => {
    const [first = 0, second = 0] = lines.flatMap((line, at) =>
      line.startsWith('{"checkpoint"') ? [at] : [],
    );
    const note = noteOf(lines[first] ?? '');
    const forged = JSON.stringify({ checkpoint: note.replace('acme\n', 'evil\n') });
    expect(verify(lines.with(first, forged)).verified).toBe(false);
    expect(verify(lines.with(second, lines[first] ?? '')).verified).toBe(false);
    expect(verify(lines.with(first, lines[second] ?? '')).verified).toBe(false);
    // Without both checkpoints nothing shows but to who kept one.
    const eighth = recordHash(Buffer.from(lines[first - 1] ?? ''));
    const older = [...lines.slice(0, first), JSON.stringify({ end: { sequence: 8, hash: eighth } })];
    expect(verify(older)).toMatchObject({ verified: true, checkpoints: 0, signed: null });
    const kept = openNote(noteOf(lines[second] ?? ''), key);
    expect(verify(older, kept)).toMatchObject({ verified: false, first_bad: { sequence: 9 } });
    expect(verify(lines, kept).verified).toBe(true);
    expect(verify(relinked(3), kept).verified).toBe(false);
  });

  it('of another beginning does not pass under the next checkpoint', async () => {
    const part = await exported({ from_sequence: '9' });
    const beginning = part[0] ?? '';
    expect(verify(part.with(0, beginning.replace(/"hash":"./, '"hash":"0'))).verified).toBe(
      beginning.includes('"hash":"0'),
    );
    const [tree = ''] = /"tree":\["../.exec(beginning) ?? [];
    const other = tree.endsWith('AA') ? 'BB' : 'AA';
    expect(verify(part.with(0, beginning.replace(tree, `${tree.slice(0, -2)}${other}`))).verified).toBe(
      false,
    );
    expect(verify(part.with(0, beginning.replace('"sequence":8', '"sequence":9'))).verified).toBe(false);
  });

  it('is recorded, each page of it, even where reads are not', async () => {
    await call('update-organization', { as: admin, body: { record_reads: false } });
    await exported({ limit: '10', format: 'csv' });
    await call('update-organization', { as: admin, body: { record_reads: true } });
    await record();
    const found = itemsOf(
      await call('query-audit', { as: viewer, query: { action: 'export_audit', limit: '3' } }),
    );
    expect(found[1]).toMatchObject({ action: 'export_audit', reason: expect.stringMatching(/as csv$/) });
  });
});

describe('for people and other programs', () => {
  it('CSV has one line per secret, and no formula', async () => {
    const named = await newKey(admin, { role: 'editor', name: '=cmd|calc', subject: 'dora' });
    await call('create-secret', { as: named, body: { name: 'formula', value: 'v' } });
    await call('rotate-secret', {
      as: named,
      params: { name: 'formula' },
      body: { new_value: 'v2', reason: '=HYPERLINK("http://x.test")' },
    });
    await record();
    const [header, ...rows] = await exported({ format: 'csv' });
    expect(header).toMatch(/^sequence,timestamp,action,outcome,secret_name,/);
    expect(rows.filter((row) => /(^|,)"?[=+@-]/.test(row))).toEqual([]);
    expect(rows.some((row) => row.includes(`"'=HYPERLINK(""http://x.test"")"`))).toBe(true);
  });

  it('OCSF has what the class API Activity requires', async () => {
    const events = (await exported({ format: 'ocsf' })).map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );
    for (const event of events) {
      expect(event).toMatchObject({
        class_uid: 6003,
        category_uid: 6,
        time: expect.any(Number),
        metadata: { version: '1.3.0', product: { name: 'FlowMason Secrets' }, tenant_uid: 'acme' },
        actor: { user: expect.any(Object) },
        api: { operation: expect.any(String) },
        src_endpoint: expect.any(Object),
      });
      expect(event['type_uid']).toBe(600_300 + Number(event['activity_id']));
    }
    expect(events.find((event) => event['activity_id'] === 1)).toBeDefined();
  });
});

function flip(line: string, at: number): string {
  const bytes = Buffer.from(line);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes.toString('latin1');
}

/** Everything from a line on with another user, chained anew: all links hold. */
function relinked(at: number): string[] {
  let previous = '';
  return lines.map((line, index) => {
    if (!isRecord(line)) return line.replace(/("end":.*"hash":")[0-9a-f]{64}/, `$1${previous}`);
    let made = line;
    if (index === at) made = line.replace('"timestamp":"2', '"timestamp":"1');
    if (index > at) made = line.replace(/"previous":"[0-9a-f]{64}"/, `"previous":"${previous}"`);
    previous = recordHash(Buffer.from(made));
    return made;
  });
}
