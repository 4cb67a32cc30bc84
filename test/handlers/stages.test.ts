import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { secretState } from '../../shared/contract/stages.ts';
import { tendSecrets } from '../../shared/rotation/tend-secrets.ts';
import { legalFrom, type Move } from '../../shared/secrets/stages.ts';
import {
  call,
  eventsOf,
  itemsOf,
  jsonOf,
  newKey,
  newOrganization,
  type Reply,
  services,
} from '../testkit/api.ts';

let admin = '';
let runtime = '';
beforeAll(async () => {
  admin = await newOrganization('acme');
  runtime = await newKey(admin, { role: 'runtime' });
});

const now = services.now;
/** Lets the service's clock run ahead. */
const advance = (ms: number) => Object.assign(services, { now: () => new Date(now().getTime() + ms) });
afterEach(() => advance(0));
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let names = 0;
const on = (name: string, body: object = {}) => ({ as: admin, params: { name }, body });
const rotate = (name: string, body: object) => call('rotate-secret', on(name, body));
const describeSecret = async (name: string) =>
  jsonOf(await call('describe-secret', { as: admin, params: { name } }));
const history = async (name: string) =>
  itemsOf(await call('secret-history', { as: admin, params: { name } }));

async function resolved(reference: string): Promise<unknown> {
  const body = { config: `{{secrets.${reference}}}`, environment: 'production' };
  const reply = await call('resolve-config', { as: runtime, body });
  if (reply.status === 200) return jsonOf(reply)['config'];
  const [first] = (jsonOf(reply)['references'] ?? []) as { code: string }[];
  return first?.code ?? jsonOf(reply)['code'];
}

/** Makes a secret that stands in a state: version 1 is `one`, and further ones `two` and `three`. */
const MAKE: Readonly<Record<string, (name: string) => Promise<void>>> = {
  settled: async () => undefined,
  overlap: async (name) => {
    await rotate(name, { new_value: 'two', keep_previous_for: '1h' });
  },
  staged: async (name) => {
    await rotate(name, { new_value: 'three', stage: 'pending' });
  },
  staged_overlap: async (name) => {
    await rotate(name, { new_value: 'two', keep_previous_for: '1h' });
    await rotate(name, { new_value: 'three', stage: 'pending' });
  },
};

async function standing(state: string): Promise<string> {
  names += 1;
  const name = `secret_${names}`;
  expect((await call('create-secret', { as: admin, body: { name, value: 'one' } })).status).toBe(201);
  await MAKE[state]?.(name);
  expect((await describeSecret(name))['state']).toBe(state);
  return name;
}

const asked = (route: string, body: object) => (name: string) => call(route, on(name, body));
const MOVES: readonly { move: Move; how: string; make: (name: string) => Promise<Reply>; action: string }[] =
  [
    { move: 'rotate', how: 'rotate', make: asked('rotate-secret', { new_value: 'new' }), action: 'rotate' },
    { move: 'rotate', how: 'put', make: asked('put-secret', { value: 'new' }), action: 'rotate' },
    {
      move: 'stage',
      how: 'rotate to pending',
      make: asked('rotate-secret', { new_value: 'new', stage: 'pending' }),
      action: 'stage',
    },
    { move: 'activate', how: 'activate', make: asked('activate-secret', {}), action: 'activate' },
    { move: 'abandon', how: 'abandon', make: asked('abandon-secret', {}), action: 'abandon' },
  ];
/** Where each legal move leads, as docs/stages.md draws it. */
const LEADS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  settled: { rotate: 'settled', rollback: 'settled', stage: 'staged' },
  overlap: { rotate: 'settled', rollback: 'settled', stage: 'staged_overlap', retire: 'settled' },
  staged: { activate: 'settled', abandon: 'settled' },
  staged_overlap: { activate: 'settled', abandon: 'overlap', retire: 'staged' },
};
const states = secretState.options;

describe.each(states)('from %s', (state) => {
  it.each(MOVES)('$how', async ({ move, make, action }) => {
    const name = await standing(state);
    const before = { metadata: await describeSecret(name), history: await history(name) };
    const reply = await make(name);
    const to = LEADS[state]?.[move];
    if (to === undefined) {
      expect({ status: reply.status, code: jsonOf(reply)['code'] }).toEqual({
        status: 409,
        code: 'stage_conflict',
      });
      expect(jsonOf(reply)['state']).toBe(state);
      expect(jsonOf(reply)['detail']).toContain(state.split('_')[0]);
      expect({ metadata: await describeSecret(name), history: await history(name) }).toEqual(before);
      expect(eventsOf(reply)).toEqual([]);
    } else {
      expect({ status: reply.status, state: jsonOf(reply)['state'] }).toEqual({ status: 200, state: to });
      expect(eventsOf(reply)).toMatchObject([{ action, outcome: 'success' }]);
    }
  });

  it('roll back', async () => {
    const name = await standing(state);
    const { version } = await describeSecret(name);
    if (version === 1) await call('update-secret', on(name, {}));
    const reply = await call('rollback-secret', on(name, { version: version === 1 ? 99 : 1 }));
    // From version 1 there is nothing to roll back to: it is legal and finds nothing.
    const legal = LEADS[state]?.['rollback'] !== undefined;
    expect(reply.status).toBe(legal ? (version === 1 ? 404 : 200) : 409);
    if (reply.status === 200) expect(jsonOf(reply)['state']).toBe('settled');
    if (!legal) expect(jsonOf(reply)['code']).toBe('stage_conflict');
  });

  it('retire', async () => {
    const name = await standing(state);
    advance(2 * HOUR);
    await tendSecrets(services);
    const to = LEADS[state]?.['retire'] ?? state;
    expect((await describeSecret(name))['state']).toBe(to);
  });

  it('delete and restore leave the labels as they were', async () => {
    const name = await standing(state);
    const { state: _state, ...labels } = await describeSecret(name);
    expect((await call('delete-secret', { as: admin, params: { name } })).status).toBe(204);
    for (const route of ['activate-secret', 'abandon-secret'])
      expect((await call(route, on(name))).status).toBe(404);
    const restored = jsonOf(await call('restore-secret', { as: admin, params: { name } }));
    expect(restored).toMatchObject({ state, previous: labels['previous'], pending: labels['pending'] });
  });

  it('the value that is current already changes nothing', async () => {
    const name = await standing(state);
    const { version } = await describeSecret(name);
    const value = version === 1 ? 'one' : 'two';
    const reply = await rotate(name, { new_value: value });
    expect(jsonOf(reply)).toMatchObject({ version, state, unchanged: true });
  });
});

describe('the page and the type', () => {
  it('say the same of every state and move', () => {
    const page = readFileSync('docs/stages.md', 'utf8');
    const rows = page.split('\n').filter((line) => /^\| `\w+` \| [✓—]/.test(line));
    const drawn = rows.map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    const header = ['rotate', 'rollback', 'stage', 'activate', 'abandon', 'retire'] as const;
    expect(drawn.map(([state]) => state)).toEqual(states.map((state) => `\`${state}\``));
    for (const [index, state] of states.entries())
      for (const [column, move] of header.entries()) {
        const legal = legalFrom[move].includes(state);
        expect({ state, move, legal }).toEqual({ state, move, legal: drawn[index]?.[column + 1] !== '—' });
        expect({ state, move, leads: LEADS[state]?.[move] !== undefined }).toEqual({
          state,
          move,
          leads: legal,
        });
      }
  });
});

describe('a pending version', () => {
  it('resolves by its own pin and no other, until it is current', async () => {
    const name = await standing('staged');
    expect(await resolved(name)).toBe('one');
    expect(await resolved(`${name}@pending`)).toBe('three');
    expect(await resolved(`${name}@2`)).toBe('no_such_version');
    expect(await resolved(`${name}@previous`)).toBe('no_previous_version');
    await call('activate-secret', on(name, { keep_previous_for: '1h' }));
    expect(await resolved(name)).toBe('three');
    expect(await resolved(`${name}@2`)).toBe('three');
    expect(await resolved(`${name}@previous`)).toBe('one');
    expect(await resolved(`${name}@pending`)).toBe('no_pending_version');
  });

  it('is kept for as long as was said when it was staged, or when it is activated', async () => {
    for (const [given, kept] of [
      [{}, 1],
      [{ keep_previous_for: '2h' }, 2],
    ] as const) {
      const name = await standing('settled');
      await rotate(name, { new_value: 'two', stage: 'pending', keep_previous_for: '1h' });
      const answer = jsonOf(await call('activate-secret', on(name, given)));
      const { until } = answer['previous'] as { until: string };
      const rotated = Date.parse(String(answer['last_rotated']));
      expect((Date.parse(until) - rotated) / HOUR).toBe(kept);
    }
  });

  it('that was abandoned keeps its place, and resolves no more', async () => {
    const name = await standing('staged');
    const reply = await call('abandon-secret', on(name, { reason: 'the test failed' }));
    expect(jsonOf(reply)).toMatchObject({ version: 1, pending: null, state: 'settled' });
    expect(eventsOf(reply)).toMatchObject([{ reason: 'the test failed', secrets: [{ version: 2 }] }]);
    expect(await resolved(`${name}@2`)).toBe('no_such_version');
    expect(await resolved(`${name}@pending`)).toBe('no_pending_version');
    expect((await rotate(name, { new_value: 'new' })).text).toContain('"version":3');
    expect((await history(name)).map(({ version, stage }) => [version, stage])).toEqual([
      [3, 'current'],
      [2, 'abandoned'],
      [1, null],
    ]);
  });

  it('of the same value again is unchanged; another one names the state', async () => {
    const name = await standing('staged');
    expect(jsonOf(await rotate(name, { new_value: 'three', stage: 'pending' }))).toMatchObject({
      unchanged: true,
      pending: { version: 2 },
    });
    expect((await rotate(name, { new_value: 'four', stage: 'pending' })).status).toBe(409);
    expect(await history(name)).toHaveLength(2);
  });

  it.each(['activate-secret', 'abandon-secret'])('%s asks for the expected version', async (route) => {
    const name = await standing('staged');
    expect(jsonOf(await call(route, on(name, { version: 1 })))['code']).toBe('version_conflict');
    expect((await call(route, on(name, { version: 2 }))).status).toBe(200);
  });

  it('is not due anew when it is staged, and is when it is activated', async () => {
    const name = await standing('settled');
    await call('update-secret', on(name, { rotation_days: 30 }));
    const { next_rotation_at } = await describeSecret(name);
    advance(10 * DAY);
    await rotate(name, { new_value: 'two', stage: 'pending' });
    expect((await describeSecret(name))['next_rotation_at']).toBe(next_rotation_at);
    await call('activate-secret', on(name));
    const moved = Date.parse(String((await describeSecret(name))['next_rotation_at']));
    expect(moved - Date.parse(String(next_rotation_at))).toBeGreaterThanOrEqual(10 * DAY);
  });
});

describe('an overlap', () => {
  it('refuses after its deadline, also before it is retired', async () => {
    const name = await standing('overlap');
    advance(HOUR - 60_000);
    expect(await resolved(`${name}@previous`)).toBe('one');
    advance(HOUR + 1000);
    expect(await resolved(`${name}@previous`)).toBe('no_previous_version');
    expect((await describeSecret(name))['state']).toBe('overlap');
    await tendSecrets(services);
    expect(await describeSecret(name)).toMatchObject({ state: 'settled', previous: null, version: 2 });
    const events = services.database.all<{ event: string }>(
      "SELECT event FROM outbox WHERE event ->> '$.action' = 'retire' AND event ->> '$.secrets[0].name' = ?",
      name,
    );
    expect(events.map(({ event }) => JSON.parse(event))).toMatchObject([
      { user: 'schedule', outcome: 'success', secrets: [{ version: 1 }] },
    ]);
  });

  it('is retired once, whoever tends at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => standing('overlap')));
    advance(2 * HOUR);
    await Promise.all(Array.from({ length: 4 }, () => tendSecrets(services)));
    for (const name of made) {
      const retired = services.database.all(
        "SELECT 1 FROM outbox WHERE event ->> '$.action' = 'retire' AND event ->> '$.secrets[0].name' = ?",
        name,
      );
      expect(retired).toHaveLength(1);
    }
  });
});

describe('versions', () => {
  const prune = (name: string, dry_run: boolean) => call('prune-secret', on(name, { dry_run }));
  const numbers = (reply: Reply) =>
    (jsonOf(reply)['versions'] as { version: number }[]).map(({ version }) => version);
  const sealedRows = (name: string) =>
    services.database.all('SELECT 1 FROM versions WHERE key LIKE ?', `${name}#%`).length;

  it('are kept 100 deep and 90 days, labelled ones always; listed first, then gone', async () => {
    const name = await standing('settled');
    for (let i = 2; i <= 130; i++) await rotate(name, { new_value: `value ${i}` });
    expect(numbers(await prune(name, true))).toEqual([]); // many, and young
    advance(91 * DAY);
    const listed = await prune(name, true);
    expect(numbers(listed)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(jsonOf(listed)['pruned']).toBe(false);
    expect(sealedRows(name)).toBe(130);
    expect(numbers(await prune(name, false))).toEqual(numbers(listed));
    expect(sealedRows(name)).toBe(100);
    expect((await call('rollback-secret', on(name, { version: 30 }))).status).toBe(404);
    expect(await resolved(name)).toBe('value 130');
    expect(await resolved(`${name}@31`)).toBe('value 31');
  });

  it('that are old go by themselves; what is labelled and what was rolled back to stays', async () => {
    const name = await standing('settled');
    await rotate(name, { new_value: 'abandoned', stage: 'pending' });
    await call('abandon-secret', on(name));
    for (let i = 3; i <= 120; i++) await rotate(name, { new_value: `value ${i}` });
    await call('rollback-secret', on(name, { version: 1 }));
    advance(91 * DAY);
    await tendSecrets(services);
    expect(sealedRows(name)).toBe(100);
    expect(await resolved(name)).toBe('one');
    const kept = await history(name);
    expect(kept.map(({ stage }) => stage).filter((stage) => stage !== null)).toEqual(['current']);
  });
});

describe('64 at once', () => {
  it('rotations, stagings, activations, abandons and roll backs keep one current and lose nothing', async () => {
    const name = await standing('settled');
    await rotate(name, { new_value: 'two' });
    const kinds = [
      (i: number) => rotate(name, { new_value: `value ${i}` }),
      (i: number) => rotate(name, { new_value: `staged ${i}`, stage: 'pending' }),
      () => call('activate-secret', on(name)),
      () => call('rollback-secret', on(name, { version: 1 })),
      () => call('abandon-secret', on(name)),
    ];
    const replies = await Promise.all(Array.from({ length: 64 }, (_, i) => kinds[i % kinds.length]?.(i)));
    const counted = (action: string) =>
      replies.filter(
        (reply) => reply !== undefined && eventsOf(reply).some((event) => event['action'] === action),
      );
    for (const reply of replies) expect([200, 409]).toContain(reply?.status);
    const versions = await history(name);
    const added = counted('rotate').length + counted('stage').length + counted('rollback').length;
    expect(versions.map(({ version }) => version)).toEqual(
      Array.from({ length: 2 + added }, (_, i) => 2 + added - i),
    );
    expect(versions.filter(({ current }) => current)).toHaveLength(1);
    expect(versions.filter(({ stage }) => stage === 'pending').length).toBeLessThanOrEqual(1);
    const staged = counted('activate').length + counted('abandon').length;
    const { pending, state } = await describeSecret(name);
    expect(staged).toBe(counted('stage').length - (pending === null ? 0 : 1));
    expect(state).toBe(pending === null ? 'settled' : 'staged');
    // What is current is what the last change that went live said.
    expect(['decryption_failed', undefined]).not.toContain(await resolved(name));
  });
});

describe('a version row that who can write the store made up', () => {
  const rowOf = (name: string, version: number) => {
    const [row] = services.database.all<{ record: Uint8Array; sealed: Uint8Array }>(
      'SELECT record, sealed FROM versions WHERE key LIKE ? AND version = ?',
      `${name}#%`,
      version,
    );
    if (row === undefined) throw new TypeError('no such row');
    return { record: JSON.parse(Buffer.from(row.record).toString()), sealed: Buffer.from(row.sealed) };
  };
  const write = (name: string, version: number, record: object, sealed: Buffer) =>
    services.database.write(() =>
      services.database.run(
        'UPDATE versions SET record = ?, sealed = ? WHERE key LIKE ? AND version = ?',
        Buffer.from(JSON.stringify(record)),
        sealed,
        `${name}#%`,
        version,
      ),
    );

  it('is not rolled back to: a roll back’s row with another genuine version behind it', async () => {
    const name = await standing('settled');
    await rotate(name, { new_value: 'two' });
    await call('rollback-secret', on(name, { version: 1 }));
    await rotate(name, { new_value: 'four' });
    const [genuine, { proof: _proof, ...other }] = [rowOf(name, 3), rowOf(name, 2).record];
    const forged = Buffer.concat([genuine.sealed.subarray(0, 93), rowOf(name, 2).sealed]);
    await write(name, 3, { ...genuine.record, fingerprint: other.fingerprint, restores: other }, forged);
    expect(jsonOf(await call('rollback-secret', on(name, { version: 3 })))['code']).toBe('decryption_failed');
    expect(await resolved(name)).toBe('four');
    await write(name, 3, genuine.record, genuine.sealed);
    expect((await call('rollback-secret', on(name, { version: 3 }))).status).toBe(200);
    expect(await resolved(name)).toBe('one');
  });

  it('is not activated', async () => {
    const name = await standing('staged');
    const [staged, first] = [rowOf(name, 2), rowOf(name, 1)];
    const forged = [
      { ...first.record, version: 2 },
      { ...staged.record, reason: 'changed' },
      { ...staged.record, proof: '' },
      { ...staged.record, restores: { ...first.record, proof: undefined } },
    ];
    for (const record of forged) {
      await write(name, 2, record, staged.sealed);
      expect(jsonOf(await call('activate-secret', on(name)))['code']).toBe('decryption_failed');
    }
    await write(name, 2, staged.record, first.sealed);
    expect(jsonOf(await call('activate-secret', on(name)))['code']).toBe('decryption_failed');
    await write(name, 2, staged.record, staged.sealed);
    expect((await call('activate-secret', on(name))).status).toBe(200);
    expect(await resolved(name)).toBe('three');
  });
});
