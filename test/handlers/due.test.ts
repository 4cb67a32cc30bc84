import { beforeAll, describe, expect, test } from 'vitest';
import { allPages, call, eventsOf, itemsOf, jsonOf, newKey, newOrganization } from '../testkit/api.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

let admin = '';
beforeAll(async () => {
  admin = await newOrganization('acme');
});

const create = (name: string, more: object = {}) =>
  call('create-secret', { as: admin, body: { name, value: `value of ${name}`, ...more } });
const describeSecret = async (name: string) =>
  jsonOf(await call('describe-secret', { as: admin, params: { name } }));

describe('a secret has a date', () => {
  test('by its own period, by a policy, and by the shorter of the two', async () => {
    await create('old-one', { metadata: { provider: 'openai' } });
    expect(await describeSecret('old-one')).toMatchObject({ next_rotation_at: null });
    expect(await describeSecret('old-one')).not.toHaveProperty('reminder');
    const rotation_policies = [
      { metadata: { provider: 'openai' }, rotation_days: 60 },
      { metadata: { provider: 'openai', tier: 1 }, rotation_days: 30 },
    ];
    const set = await call('update-organization', { as: admin, body: { rotation_policies } });
    expect(jsonOf(set)).toMatchObject({ rotation_policies, record_reads: true });
    expect(eventsOf(set)).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('2 policies') }),
    ]);
    const rows = [
      { name: 'p1', labels: { provider: 'openai' }, own: undefined, days: 60, because: 'policy' },
      { name: 'p2', labels: { provider: 'openai', tier: 1 }, own: undefined, days: 30, because: 'policy' },
      { name: 'p3', labels: { provider: 'openai' }, own: 90, days: 60, because: 'policy' },
      { name: 'p4', labels: { provider: 'openai' }, own: 10, days: 10, because: 'rotation_days' },
      { name: 'p5', labels: { provider: 'other' }, own: 10, days: 10, because: 'rotation_days' },
    ];
    for (const { name, labels, own, days, because } of rows) {
      const created = jsonOf(await create(name, { metadata: labels, rotation_days: own }));
      const due = Date.parse(String(created['created_at'])) + days * DAY_MS;
      expect(created, name).toMatchObject({
        next_rotation_at: new Date(due).toISOString(),
        rotation_days: own ?? null,
        reminder: { because, owner: 'first admin key', quiet: null },
      });
    }
    // A change of the labels is a change of the policy.
    const body = { metadata: { provider: 'other', owner: 'ada@example.com' } };
    const moved = await call('update-secret', { as: admin, params: { name: 'p4' }, body });
    expect(jsonOf(moved)['reminder']).toMatchObject({ owner: 'ada@example.com' });
    const none = await call('update-secret', { as: admin, params: { name: 'p1' }, body });
    expect(jsonOf(none)).toMatchObject({ next_rotation_at: null });
    await call('update-organization', { as: admin, body: { rotation_policies: [] } });
  });

  test('what is due is listed by name, page by page, within bounds and selectors', async () => {
    for (const [name, rotation_days] of [
      ['due_c', 3],
      ['due_a', 2],
      ['due_b', 1],
      ['due_d', 40],
    ] as const)
      await create(name, { rotation_days, environment: 'staging' });
    await create('due_p', { rotation_days: 1, environment: 'production' });
    const query = { due_within_days: '5', prefix: 'due_', limit: '2' };
    const pages = await allPages('list-secrets', { as: admin, query });
    expect(pages.map((page) => page.map(({ name }) => name))).toEqual([
      ['due_a', 'due_b'],
      ['due_c', 'due_p'],
    ]);
    const bound = await newKey(admin, { role: 'viewer', environments: ['production'] });
    const seen = await call('list-secrets', { as: bound, query: { due_within_days: '5', prefix: 'due_' } });
    expect(itemsOf(seen).map(({ name }) => name)).toEqual(['due_p']);
    const rival = await newOrganization('rival');
    expect(itemsOf(await call('list-secrets', { as: rival, query: { due_within_days: '3650' } }))).toEqual(
      [],
    );
    await call('rotate-secret', { as: admin, params: { name: 'due_a' }, body: { new_value: 'v' } });
    await call('delete-secret', { as: admin, params: { name: 'due_b' } });
    const later = await call('list-secrets', { as: admin, query: { due_within_days: '2', prefix: 'due_' } });
    expect(itemsOf(later).map(({ name }) => name)).toEqual(['due_a', 'due_p']);
  });
});

describe('a reminder is answered', () => {
  test('by an acknowledgement, which leaves its reason in the audit log and ends with the next version', async () => {
    await create('acked', { rotation_days: 1 });
    const until = inDays(20);
    const body = { reason: 'the vendor rotates it', until };
    const acked = await call('ack-secret', { as: admin, params: { name: 'acked' }, body });
    expect(acked.status).toBe(200);
    const quiet = { kind: 'ack', until, reason: body.reason, by: 'first admin key', at: expect.any(String) };
    expect(jsonOf(acked)).toMatchObject({ version: 1, reminder: { because: 'rotation_days', quiet } });
    expect(eventsOf(acked)).toEqual([
      expect.objectContaining({
        action: 'ack',
        reason: `No reminder before ${until}: the vendor rotates it`,
        secrets: [expect.objectContaining({ name: 'acked', version: 1 })],
      }),
    ]);
    await call('update-secret', { as: admin, params: { name: 'acked' }, body: { description: 'kept' } });
    expect(await describeSecret('acked')).toMatchObject({ reminder: { quiet } });
    await call('rotate-secret', { as: admin, params: { name: 'acked' }, body: { new_value: 'v2' } });
    expect(await describeSecret('acked')).toMatchObject({ version: 2, reminder: { quiet: null } });
  });

  test('by a snooze, which 0 days end', async () => {
    await create('snoozed', { rotation_days: 1 });
    const snoozed = await call('snooze-secret', {
      as: admin,
      params: { name: 'snoozed' },
      body: { days: 2 },
      headers: { 'idempotency-key': 'once' },
    });
    expect(jsonOf(snoozed)).toMatchObject({ reminder: { quiet: { kind: 'snooze', reason: null } } });
    expect(eventsOf(snoozed)).toEqual([expect.objectContaining({ action: 'snooze' })]);
    const again = await call('snooze-secret', {
      as: admin,
      params: { name: 'snoozed' },
      body: { days: 2 },
      headers: { 'idempotency-key': 'once' },
    });
    expect(again.text).toBe(snoozed.text);
    expect(eventsOf(again)).toEqual([]);
    const ended = await call('snooze-secret', { as: admin, params: { name: 'snoozed' }, body: { days: 0 } });
    expect(jsonOf(ended)).toMatchObject({ reminder: { quiet: null } });
  });

  test.each([
    { route: 'ack-secret', body: { reason: 'r', until: '2020-01-01' }, field: 'until' },
    { route: 'ack-secret', body: { reason: 'r', until: inDays(400) }, field: 'until' },
    { route: 'ack-secret', body: { reason: 'r', until: 'tomorrow' }, field: 'until' },
    { route: 'ack-secret', body: { until: inDays(1) }, field: 'reason' },
    { route: 'ack-secret', body: { reason: 'two\nlines', until: inDays(1) }, field: 'reason' },
    { route: 'snooze-secret', body: { days: 31 }, field: 'days' },
    { route: 'snooze-secret', body: { days: -1 }, field: 'days' },
    { route: 'snooze-secret', body: {}, field: 'days' },
  ])('$route refuses a wrong $field', async ({ route, body, field }) => {
    const refused = await call(route, { as: admin, params: { name: 'snoozed' }, body });
    expect(refused.status).toBe(422);
    expect(jsonOf(refused)['errors']).toEqual([expect.objectContaining({ path: field })]);
  });
});
