import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventText, linkRecords, readRecordBytes, recordHash } from '../../shared/audit/chain.ts';
import { checkpointAudit } from '../../shared/audit/checkpoint-audit.ts';
import { verifyWhole } from '../../shared/audit/verify-audit.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { call, jsonOf, newKey, newOrganization, record, services } from '../testkit/api.ts';
import { tally } from '../testkit/tally.ts';

// Somebody who can write the store changes the log; verify must name the first record that is not what it was.

// Many changes are tried, each verified from the beginning: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 300_000 });

const db = services.database;
const org = organizationId.parse('acme');
const RECORDS = 12;
let viewer = '';

interface Row {
  readonly sequence: number;
  readonly event_id: string;
  readonly hash: string;
  readonly bytes: Uint8Array;
}
let rows: Row[] = [];

const read = () =>
  db.all<Row>(
    'SELECT sequence, event_id, hash, bytes FROM audit_records WHERE org = ? ORDER BY sequence',
    org,
  );

/** Puts the log as it shall be, whatever it was. */
function write(records: readonly Row[]): void {
  db.run('DELETE FROM audit_records WHERE org = ?', org);
  for (const { sequence, event_id, hash, bytes } of records) {
    db.run(
      'INSERT INTO audit_records (org, sequence, event_id, hash, bytes) VALUES (?, ?, ?, ?, ?)',
      org,
      sequence,
      event_id,
      hash,
      bytes,
    );
  }
}

async function verify(): Promise<Record<string, unknown>> {
  tally('logs verified');
  return jsonOf(await call('verify-audit', { as: viewer }));
}

beforeAll(async () => {
  db.run('PRAGMA synchronous = OFF');
  const admin = await newOrganization('acme');
  viewer = await newKey(admin, { role: 'viewer' });
  for (let i = 2; i < RECORDS; i++)
    await call('create-secret', { as: admin, body: { name: `s${i}`, value: 'v' } });
  await record();
  rows = read();
});

beforeEach(() => {
  write(rows);
});

const everyRow = Array.from({ length: RECORDS }, (_, index) => index);

/** A record with other content and the hash of it: what is left of it shows only in the one that follows. */
function rewritten(row: Row): Row {
  const { event, previous, sequence } = readRecordBytes(row.bytes);
  const [other] = linkRecords({ sequence: sequence - 1, hash: previous }, [
    { event, text: eventText({ ...event, user: 'somebody-else' }) },
  ]);
  return other === undefined ? row : { ...other };
}

/** The whole rest of the log made anew behind a change that no facet shows: every link holds. */
function relinked(at: number): Row[] {
  const kept = rows.slice(0, at);
  const events = rows.slice(at).map(({ bytes }, index) => {
    const { event } = readRecordBytes(bytes);
    return { event, text: eventText(index === 0 ? { ...event, request_id: 'another' } : event) };
  });
  const last = kept.at(-1);
  const first = rows[0];
  if (first === undefined) throw new TypeError('an empty log');
  return [
    ...kept,
    ...linkRecords(last ?? { sequence: 0, hash: readRecordBytes(first.bytes).previous }, events),
  ];
}

const flip = (row: Row): Row => {
  const bytes = Buffer.from(row.bytes);
  bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
  return { ...row, bytes };
};

/** `names` is the sequence that must be named for a change of the row at an index. */
const mutations: readonly {
  readonly what: string;
  readonly change: (at: number) => readonly Row[];
  readonly names: (at: number) => number;
  readonly from?: number;
  readonly to?: number;
}[] = [
  {
    what: 'one bit changed',
    change: (at) => rows.map((row, i) => (i === at ? flip(row) : row)),
    names: (at) => at + 1,
  },
  {
    what: 'one bit changed, and its hash made anew',
    change: (at) =>
      rows.map((row, i) => (i === at ? { ...flip(row), hash: recordHash(flip(row).bytes) } : row)),
    names: (at) => at + 1,
    to: RECORDS - 1,
  },
  {
    what: 'rewritten, and its hash made anew',
    change: (at) => rows.map((row, i) => (i === at ? rewritten(row) : row)),
    names: (at) => at + 1,
    to: RECORDS - 1,
  },
  {
    what: 'its hash changed',
    change: (at) => rows.map((row, i) => (i === at ? { ...row, hash: '0'.repeat(64) } : row)),
    names: (at) => at + 1,
  },
  {
    what: 'removed',
    change: (at) => rows.filter((_, i) => i !== at),
    names: (at) => at + 1,
    to: RECORDS - 1,
  },
  {
    what: 'removed, and the rest moved up',
    change: (at) => rows.filter((_, i) => i !== at).map((row, i) => ({ ...row, sequence: i + 1 })),
    names: (at) => at + 1,
    to: RECORDS - 1,
  },
  {
    what: 'repeated, and the rest moved down',
    change: (at) =>
      [...rows.slice(0, at + 1), ...rows.slice(at)].map((row, i) => ({
        ...row,
        sequence: i + 1,
        event_id: `${i}`,
      })),
    names: (at) => at + 2,
  },
  {
    what: 'swapped with the next',
    change: (at) =>
      rows.map((row, i) => ({
        ...(i === at ? (rows[at + 1] ?? row) : i === at + 1 ? (rows[at] ?? row) : row),
        sequence: row.sequence,
      })),
    names: (at) => at + 1,
    to: RECORDS - 1,
  },
  {
    what: 'replaced by what is no record',
    change: (at) =>
      rows.map((row, i) =>
        i === at ? { ...row, bytes: Buffer.from('{'), hash: recordHash(Buffer.from('{')) } : row,
      ),
    names: (at) => at + 1,
  },
];

describe.each([
  { checkpoint: 'without a checkpoint', sign: false },
  { checkpoint: 'with a checkpoint', sign: true },
])('verify-audit $checkpoint', ({ sign }) => {
  beforeAll(async () => {
    write(rows);
    if (sign) expect(await checkpointAudit(services, org)).toMatchObject({ size: RECORDS });
  });

  it('takes the log as it was written', async () => {
    expect(await verify()).toEqual({ verified: true, events: RECORDS, checkpoints: sign ? 1 : 0 });
  });

  it.each(mutations)(
    'names each record that was $what',
    async ({ change, names, from = 0, to = RECORDS }) => {
      for (const at of everyRow.slice(from, to)) {
        write(change(at));
        expect({ at, ...(await verify()) }).toMatchObject({
          at,
          verified: false,
          first_bad: { sequence: names(at), reason: expect.any(String) },
        });
      }
    },
  );

  // The head is the last row, so a log that was cut short, or made anew to its end, is whole in itself: only what
  // was signed before tells.
  it(`the last records removed are ${sign ? 'named' : 'not seen: that takes a checkpoint'}`, async () => {
    for (const kept of everyRow) {
      write(rows.slice(0, kept));
      const answer = await verify();
      if (sign) expect(answer).toMatchObject({ verified: false, first_bad: { sequence: kept + 1 } });
      else expect(answer).toEqual({ verified: true, events: kept, checkpoints: 0 });
    }
  });

  // Without one, the last record with its hash made anew is whole in itself.
  if (sign)
    it('names each record of which any byte was changed, its hash as it was or made anew', async () => {
      const whole = { from: 0, root: null, isEnough: () => false };
      const named = async () => {
        tally('bytes of records changed');
        return (await verifyWhole(services, org, whole)).first_bad?.sequence;
      };
      for (const { sequence, bytes, hash } of rows) {
        const wrong: number[] = [];
        for (let at = 0; at < bytes.length; at++) {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
          db.run(
            'UPDATE audit_records SET bytes = ?, hash = ? WHERE org = ? AND sequence = ?',
            changed,
            at % 2 === 0 ? hash : recordHash(changed),
            org,
            sequence,
          );
          if ((await named()) !== sequence) wrong.push(at);
        }
        expect(wrong).toEqual([]);
        write(rows);
      }
    });

  it(`the rest of the log made anew is ${sign ? 'named' : 'not seen: that takes a checkpoint'}`, async () => {
    for (const at of everyRow) {
      write(relinked(at));
      const answer = await verify();
      if (sign) expect(answer).toMatchObject({ verified: false, first_bad: { sequence: at + 1 } });
      else expect(answer).toEqual({ verified: true, events: RECORDS, checkpoints: 0 });
    }
  });
});
