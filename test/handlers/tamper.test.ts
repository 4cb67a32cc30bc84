import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call, jsonOf, newKey, newOrganization, type Reply, services } from '../testkit/api.ts';
import { tally } from '../testkit/tally.ts';

// Somebody who can write the store changes it; a resolve must never answer with another value. Every change is
// tried with the data keys cold and warm: a cache that forgot what a key belongs to would show only warm.

const db = services.database;
let admin = '';
let rivalAdmin = '';
const runtimes: Record<string, string> = {};

beforeAll(async () => {
  // These tests write thousands of rows and cut no power.
  db.run('PRAGMA synchronous = OFF');
  admin = await newOrganization('acme');
  rivalAdmin = await newOrganization('rival');
  runtimes['acme'] = await newKey(admin, { role: 'runtime' });
  runtimes['rival'] = await newKey(rivalAdmin, { role: 'runtime' });
});

const temperatures = ['cold', 'warm'] as const;

interface Outcome {
  readonly status: number;
  readonly code: unknown;
  readonly value: unknown;
}

function outcomeOf(reply: Reply): Outcome {
  const { code, config } = jsonOf(reply);
  return { status: reply.status, code, value: config };
}

const failed: Outcome = { status: 500, code: 'decryption_failed', value: undefined };

async function resolve(reference: string, place: object = {}, org = 'acme'): Promise<Outcome> {
  const body = { config: `{{secrets.${reference}}}`, environment: 'staging', ...place };
  return outcomeOf(await call('resolve-config', { as: runtimes[org], body }));
}

/** Every bit of some bytes flipped, one after the other. */
function* flipped(bytes: Uint8Array): Generator<{ bit: number; changed: Buffer }> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    tally('bits flipped');
    yield { bit, changed };
  }
}

interface Bytes {
  readonly bytes: Uint8Array;
}

function read(sql: string, ...values: (string | number)[]): Uint8Array {
  const row = db.get<Bytes>(sql, ...values);
  if (row === undefined) throw new TypeError('no such row');
  return row.bytes;
}

/** What a test expected to be refused and was not; of many thousand, the first few say enough. */
function surprises(outcomes: readonly { at: string; outcome: Outcome }[]) {
  return outcomes.filter(({ outcome }) => JSON.stringify(outcome) !== JSON.stringify(failed)).slice(0, 5);
}

describe('every bit of a row', () => {
  const key = 'bits#org##';
  const value = 'the first value';

  beforeEach(async () => {
    await call('delete-secret', { as: admin, params: { name: 'bits' }, query: { recovery_days: '0' } });
    const body = { name: 'bits', value, description: 'd', metadata: { a: 1 }, rotation_days: 3 };
    expect((await call('create-secret', { as: admin, body })).status).toBe(201);
  });

  it.each(
    temperatures.flatMap((temperature) =>
      (['record', 'mac', 'sealed'] as const).map((column) => ({ column, temperature })),
    ),
  )('secrets.$column, $temperature', { timeout: 300_000 }, async ({ column, temperature }) => {
    const before = read(`SELECT ${column} AS bytes FROM secrets WHERE org = 'acme' AND key = ?`, key);
    const outcomes: { at: string; outcome: Outcome }[] = [];
    for (const { bit, changed } of flipped(before)) {
      if (temperature === 'cold') services.dataKeys.clear();
      db.run(`UPDATE secrets SET ${column} = ? WHERE org = 'acme' AND key = ?`, changed, key);
      outcomes.push({ at: `bit ${bit}`, outcome: await resolve('bits') });
    }
    expect(outcomes.length).toBe(before.length * 8);
    expect(surprises(outcomes)).toEqual([]);
    db.run(`UPDATE secrets SET ${column} = ? WHERE org = 'acme' AND key = ?`, before, key);
    expect((await resolve('bits')).value).toBe(value);
  });

  it('data_keys.wrapped', { timeout: 300_000 }, async () => {
    const ids = db.all<{ id: string }>("SELECT id FROM data_keys WHERE org = 'acme' AND environment IS NULL");
    const outcomes: { at: string; outcome: Outcome }[] = [];
    for (const { id } of ids) {
      const before = read("SELECT wrapped AS bytes FROM data_keys WHERE org = 'acme' AND id = ?", id);
      for (const { bit, changed } of flipped(before)) {
        services.dataKeys.clear();
        db.run("UPDATE data_keys SET wrapped = ? WHERE org = 'acme' AND id = ?", changed, id);
        outcomes.push({ at: `bit ${bit}`, outcome: await resolve('bits') });
      }
      db.run("UPDATE data_keys SET wrapped = ? WHERE org = 'acme' AND id = ?", before, id);
    }
    // Exactly one of the organization's data keys opens this secret; the others may be what they like.
    const opens = outcomes.filter(({ outcome }) => outcome.value === value).length;
    expect(outcomes.length - opens).toBe(77 * 8);
    expect(surprises(outcomes.filter(({ outcome }) => outcome.value !== value))).toEqual([]);
    services.dataKeys.clear();
    expect((await resolve('bits')).value).toBe(value);
  });

  const PROOF = '"proof":"';
  const versionColumns = temperatures.flatMap((temperature) =>
    (['record', 'sealed'] as const).map((column) => ({ column, temperature })),
  );

  it.each(versionColumns)(
    'versions.$column of a version that is referred to by its number, $temperature',
    { timeout: 300_000 },
    async ({ column, temperature }) => {
      await call('rotate-secret', {
        as: admin,
        params: { name: 'bits' },
        body: { new_value: 'the second value' },
      });
      const before = read(
        `SELECT ${column} AS bytes FROM versions WHERE org = 'acme' AND key = ? AND version = 1`,
        key,
      );
      const outcomes: { at: string; outcome: Outcome }[] = [];
      for (const { bit, changed } of flipped(before)) {
        if (temperature === 'cold') services.dataKeys.clear();
        db.run(
          `UPDATE versions SET ${column} = ? WHERE org = 'acme' AND key = ? AND version = 1`,
          changed,
          key,
        );
        outcomes.push({ at: `bit ${bit}`, outcome: await resolve('bits@1') });
      }
      expect(outcomes.length).toBe(before.length * 8);
      // The proof is for who may not open it: where the envelope itself is opened, nothing looks at that.
      const proof = Buffer.from(before).indexOf(PROOF) + PROOF.length;
      const inProof = (bit: number) => bit >= proof * 8 && bit < (proof + 64) * 8;
      const proven = outcomes.filter((_, bit) => column === 'sealed' || !inProof(bit));
      expect(surprises(proven)).toEqual([]);
      expect(surprises(outcomes.filter(({ outcome }) => outcome.value !== value))).toEqual([]);
      db.run(`UPDATE versions SET ${column} = ? WHERE org = 'acme' AND key = ? AND version = 1`, before, key);
      expect((await resolve('bits@1')).value).toBe(value);
    },
  );

  it.each(['record', 'sealed'])(
    'versions.%s of a version that is rolled back to',
    { timeout: 300_000 },
    async (column) => {
      await call('rotate-secret', {
        as: admin,
        params: { name: 'bits' },
        body: { new_value: 'the second value' },
      });
      const before = read(
        `SELECT ${column} AS bytes FROM versions WHERE org = 'acme' AND key = ? AND version = 1`,
        key,
      );
      const rollBack = () =>
        call('rollback-secret', { as: admin, params: { name: 'bits' }, body: { version: 1 } });
      const outcomes: { at: string; outcome: Outcome }[] = [];
      for (const { bit, changed } of flipped(before)) {
        db.run(
          `UPDATE versions SET ${column} = ? WHERE org = 'acme' AND key = ? AND version = 1`,
          changed,
          key,
        );
        const reply = await rollBack();
        // The roll back opens nothing: what it cannot see, the resolve after it does.
        outcomes.push({
          at: `bit ${bit}`,
          outcome: reply.status === 200 ? await resolve('bits') : outcomeOf(reply),
        });
      }
      expect(outcomes.length).toBe(before.length * 8);
      expect(surprises(outcomes)).toEqual([]);
      db.run(`UPDATE versions SET ${column} = ? WHERE org = 'acme' AND key = ? AND version = 1`, before, key);
      await rollBack();
      expect((await resolve('bits')).value).toBe(value);
    },
  );

  it('what the store looks things up by is trusted by no resolve', async () => {
    const changes = {
      revision: 7,
      next_rotation_at: null,
      deleted_at: '2026-01-31T12:00:00.000Z',
      purge_at: '2026-01-31T12:00:00.000Z',
    };
    for (const [column, changed] of Object.entries(changes)) {
      db.run(`UPDATE secrets SET ${column} = ? WHERE org = 'acme' AND key = ?`, changed, key);
      expect((await resolve('bits')).value).toBe(value);
    }
    db.run("UPDATE secrets SET deleted_at = NULL, purge_at = NULL WHERE org = 'acme' AND key = ?", key);
  });

  it.each(['record', 'mac', 'sealed'])('secrets.%s cut short, empty and made longer', async (column) => {
    const before = Buffer.from(
      read(`SELECT ${column} AS bytes FROM secrets WHERE org = 'acme' AND key = ?`, key),
    );
    const changes = [
      before.subarray(0, -1),
      before.subarray(1),
      Buffer.alloc(0),
      Buffer.concat([before, Buffer.of(0)]),
    ];
    const outcomes: { at: string; outcome: Outcome }[] = [];
    for (const changed of changes) {
      db.run(`UPDATE secrets SET ${column} = ? WHERE org = 'acme' AND key = ?`, changed, key);
      outcomes.push({ at: `${changed.length} bytes`, outcome: await resolve('bits') });
    }
    expect(surprises(outcomes)).toEqual([]);
  });

  it('what is damaged can be removed and stored again', async () => {
    const target = { as: admin, params: { name: 'bits' } };
    db.run("UPDATE secrets SET record = ? WHERE org = 'acme' AND key = ?", Buffer.of(0), key);
    const again = { ...target, body: { value: 'again' } };
    expect(outcomeOf(await call('put-secret', again))).toEqual(failed);
    // One damaged row does not hide the others.
    expect((await call('create-secret', { as: admin, body: { name: 'beside', value: 'v' } })).status).toBe(
      201,
    );
    const listed = await call('list-secrets', { as: admin });
    const names = (JSON.parse(listed.text) as { name: string }[]).map(({ name }) => name);
    expect(names).toContain('beside');
    expect(names).not.toContain('bits');
    expect(outcomeOf(await call('describe-secret', target))).toEqual(failed);
    expect((await call('delete-secret', { ...target, query: { recovery_days: '0' } })).status).toBe(204);
    expect((await call('put-secret', again)).status).toBe(201);
    expect((await resolve('bits')).value).toBe('again');
  });

  it('data keys that are gone', async () => {
    services.dataKeys.clear();
    const rows = db.all<{ id: string; wrapped: Uint8Array; environment: string | null; created_at: string }>(
      "SELECT id, wrapped, environment, created_at FROM data_keys WHERE org = 'acme'",
    );
    db.run("DELETE FROM data_keys WHERE org = 'acme'");
    expect(await resolve('bits')).toEqual(failed);
    for (const { id, environment, wrapped, created_at } of rows) {
      db.run(
        "INSERT INTO data_keys (org, id, environment, wrapped, created_at) VALUES ('acme', ?, ?, ?, ?)",
        id,
        environment,
        wrapped,
        created_at,
      );
    }
    expect(await resolve('bits')).toEqual({ status: 200, code: undefined, value });
  });
});

interface Place {
  readonly org: 'acme' | 'rival';
  readonly name: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly key: string;
}

/** One place for each bound field that differs: organization, environment, scope, owner, name. */
const places: readonly Place[] = [
  ...(['acme', 'rival'] as const).flatMap((org) => [
    { org, name: 'swap', fields: {}, key: 'swap#org##' },
    { org, name: 'swap', fields: { environment: 'staging' }, key: 'swap#org#staging#' },
    { org, name: 'swap', fields: { environment: 'production' }, key: 'swap#org#production#' },
    { org, name: 'swap', fields: { scope: 'pipeline', pipeline_id: 'p1' }, key: 'swap#pipeline##p1' },
    { org, name: 'swap', fields: { scope: 'pipeline', pipeline_id: 'p2' }, key: 'swap#pipeline##p2' },
    { org, name: 'swap', fields: { scope: 'user', user: 'p1' }, key: 'swap#user##p1' },
    {
      org,
      name: 'swap',
      fields: { scope: 'user', user: 'p2', environment: 'staging' },
      key: 'swap#user#staging#p2',
    },
    { org, name: 'swap2', fields: {}, key: 'swap2#org##' },
  ]),
];
const pairs = places.flatMap((from) => places.filter((to) => to !== from).map((to) => ({ from, to })));

interface Row {
  readonly revision: number;
  readonly record: Uint8Array;
  readonly mac: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Which columns are put under another key: the whole row, and every part of it that could pass alone. */
const parts: readonly (readonly (keyof Row)[])[] = [
  ['revision', 'record', 'mac', 'sealed'],
  ['record', 'mac'],
  ['record', 'sealed'],
  ['mac', 'sealed'],
  ['record'],
  ['mac'],
  ['sealed'],
];

describe('every ordered pair of rows', () => {
  const rowOf = ({ org, key }: Place): Row => {
    const row = db.get<Row>(
      'SELECT revision, record, mac, sealed FROM secrets WHERE org = ? AND key = ?',
      org,
      key,
    );
    if (row === undefined) throw new TypeError('no such row');
    return row;
  };
  const put = ({ org, key }: Place, row: Partial<Row>) => {
    for (const [column, value] of Object.entries(row))
      db.run(`UPDATE secrets SET ${column} = ? WHERE org = ? AND key = ?`, value, org, key);
  };
  const resolveAt = ({ org, name, fields }: Place) => {
    const { scope: _scope, ...place } = fields;
    return resolve(name, { environment: 'development', ...place }, org);
  };

  beforeAll(async () => {
    for (const { org, name, fields } of places) {
      // Described each by itself, so that no two records are the same bytes.
      const value = `${org} ${name} ${JSON.stringify(fields)}`;
      const body = { name, value, description: value, ...fields };
      await call('create-secret', { as: org === 'acme' ? admin : rivalAdmin, body });
    }
    // Who can move rows can copy data keys too, so that each of them is found in both organizations.
    for (const [from, to] of [
      ['acme', 'rival'],
      ['rival', 'acme'],
    ] as const) {
      db.run(
        `INSERT OR IGNORE INTO data_keys (org, id, environment, wrapped, created_at)
         SELECT ?, id, environment, wrapped, created_at FROM data_keys WHERE org = ?`,
        to,
        from,
      );
    }
  });

  it('each place resolves to its own value before', async () => {
    for (const place of places) {
      const expected = `${place.org} ${place.name} ${JSON.stringify(place.fields)}`;
      expect(await resolveAt(place)).toEqual({ status: 200, code: undefined, value: expected });
    }
  });

  it.each(temperatures.flatMap((temperature) => parts.map((columns) => ({ columns, temperature }))))(
    '$columns of the one under the key of the other, $temperature',
    { timeout: 300_000 },
    async ({ columns, temperature }) => {
      const outcomes: { at: string; outcome: Outcome }[] = [];
      for (const { from, to } of pairs) {
        if (temperature === 'cold') services.dataKeys.clear();
        else for (const place of [from, to]) await resolveAt(place);
        const [taken, before] = [rowOf(from), rowOf(to)];
        put(to, Object.fromEntries(columns.map((column) => [column, taken[column]])));
        outcomes.push({ at: `${from.org} ${from.key} in ${to.org} ${to.key}`, outcome: await resolveAt(to) });
        put(to, before);
      }
      expect(outcomes).toHaveLength(16 * 15);
      expect(surprises(outcomes)).toEqual([]);
    },
  );

  it('data keys: one under the id of another', { timeout: 300_000 }, async () => {
    const rows = db.all<{ org: string; id: string; wrapped: Uint8Array }>(
      'SELECT org, id, wrapped FROM data_keys',
    );
    const outcomes: { at: string; outcome: Outcome }[] = [];
    for (const from of rows) {
      for (const row of rows) {
        db.run('UPDATE data_keys SET wrapped = ? WHERE org = ? AND id = ?', from.wrapped, row.org, row.id);
      }
      services.dataKeys.clear();
      for (const place of places)
        outcomes.push({ at: `${from.id} for ${place.key}`, outcome: await resolveAt(place) });
      for (const { org, id, wrapped } of rows)
        db.run('UPDATE data_keys SET wrapped = ? WHERE org = ? AND id = ?', wrapped, org, id);
    }
    // All data keys became one: it opens what it was made for, and nothing else.
    const own = places.map(({ org, name, fields }) => `${org} ${name} ${JSON.stringify(fields)}`);
    const refused = outcomes.filter(({ outcome }) => !own.some((value) => value === outcome.value));
    expect(surprises(refused)).toEqual([]);
    expect(refused.length).toBeGreaterThan(outcomes.length / 2);
  });
});

describe('every ordered pair of versions', () => {
  const key = 'versions#org##';
  const values = ['one', 'two', 'one', 'four', 'two'];
  const numbers = values.map((_, index) => index + 1);
  const swaps = numbers.flatMap((from) => numbers.filter((to) => to !== from).map((to) => ({ from, to })));
  const parts = [['record', 'sealed'], ['record'], ['sealed']] as const;

  interface VersionRow {
    readonly record: Uint8Array;
    readonly sealed: Uint8Array;
  }
  const rowOf = (version: number): VersionRow => {
    const row = db.get<VersionRow>(
      "SELECT record, sealed FROM versions WHERE org = 'acme' AND key = ? AND version = ?",
      key,
      version,
    );
    if (row === undefined) throw new TypeError('no such row');
    return row;
  };
  const put = (version: number, row: object) => {
    for (const [column, value] of Object.entries(row))
      db.run(
        `UPDATE versions SET ${column} = ? WHERE org = 'acme' AND key = ? AND version = ?`,
        value,
        key,
        version,
      );
  };

  beforeAll(async () => {
    const params = { name: 'versions' };
    await call('create-secret', { as: admin, body: { name: 'versions', value: 'one' } });
    await call('rotate-secret', { as: admin, params, body: { new_value: 'two' } });
    await call('rollback-secret', { as: admin, params, body: { version: 1 } });
    await call('rotate-secret', { as: admin, params, body: { new_value: 'four' } });
    await call('rollback-secret', { as: admin, params, body: { version: 2 } });
    await call('rotate-secret', { as: admin, params, body: { new_value: 'six' } });
  });

  it('each resolves to its own value before', async () => {
    const resolved = await Promise.all(numbers.map((version) => resolve(`versions@${version}`)));
    expect(resolved.map(({ value }) => value)).toEqual(values);
  });

  it.each(temperatures.flatMap((temperature) => parts.map((columns) => ({ columns, temperature }))))(
    '$columns of the one under the number of the other, resolved and rolled back to, $temperature',
    async ({ columns, temperature }) => {
      const outcomes: { at: string; outcome: Outcome }[] = [];
      for (const { from, to } of swaps) {
        if (temperature === 'cold') services.dataKeys.clear();
        const [taken, before] = [rowOf(from), rowOf(to)];
        put(to, Object.fromEntries(columns.map((column) => [column, taken[column]])));
        outcomes.push({ at: `${from} as ${to}`, outcome: await resolve(`versions@${to}`) });
        const reply = await call('rollback-secret', {
          as: admin,
          params: { name: 'versions' },
          body: { version: to },
        });
        const outcome = reply.status === 200 ? await resolve('versions') : outcomeOf(reply);
        outcomes.push({ at: `${from} as ${to}, rolled back to`, outcome });
        put(to, before);
      }
      expect(outcomes).toHaveLength(20 * 2);
      expect(surprises(outcomes)).toEqual([]);
    },
  );
});
