import { beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { call, eventsOf, itemsOf, jsonOf, newOrganization, services } from '../testkit/api.ts';

// Each checks many secrets, and a busy machine is slow at it.
vi.setConfig({ testTimeout: 60_000 });

const SECRET_PATH = 'T0000-B0000-hook-canary';
const URL_OF_HOOK = `https://hooks.example.com/services/${SECRET_PATH}`;

let admin = '';
let rival = '';
beforeAll(async () => {
  admin = await newOrganization('acme');
  rival = await newOrganization('rival');
});

const create = (body: object, as = admin) => call('create-notification', { as, body });

describe('who gets what', () => {
  test('is listed newest first, without the URL of a webhook and without its key', async () => {
    const email = await create({ kind: 'email', address: 'team@example.com', owner: 'ada@example.com' });
    expect(email.status).toBe(201);
    expect(jsonOf(email)).toMatchObject({
      kind: 'email',
      address: 'team@example.com',
      owner: 'ada@example.com',
      states: ['upcoming', 'due', 'overdue', 'escalated'],
      signing_key: null,
      calendar_path: null,
    });
    const hook = await create({ kind: 'webhook', url: URL_OF_HOOK, states: ['overdue', 'overdue'] });
    const { signing_key, ...described } = jsonOf(hook);
    expect(signing_key).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(described).toMatchObject({ kind: 'webhook', host: 'hooks.example.com', states: ['overdue'] });
    expect(hook.text).not.toContain(SECRET_PATH);
    expect(eventsOf(hook)).toEqual([
      expect.objectContaining({ action: 'create_notification', reason: 'webhook for every owner' }),
    ]);
    const slack = await create({ kind: 'slack', url: URL_OF_HOOK });
    expect(jsonOf(slack)['signing_key']).toBeNull();
    const listed = await call('list-notifications', { as: admin });
    expect(itemsOf(listed).map(({ kind }) => kind)).toEqual(['slack', 'webhook', 'email']);
    expect(listed.text).not.toMatch(/hook-canary|whsec|sealed|token_hash|signing_key/);
    expect(eventsOf(listed)).toEqual([expect.objectContaining({ action: 'list_notifications' })]);
  });

  test('a webhook’s URL stands nowhere in the store', async () => {
    const rows = services.database.all<{ recipient: string }>('SELECT recipient FROM recipients');
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(SECRET_PATH);
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(SECRET_PATH).toString('base64').slice(2, -4));
    expect(JSON.stringify(services.database.all('SELECT event FROM outbox'))).not.toContain(SECRET_PATH);
  });

  test('a webhook is sealed under a data key that no secret is sealed under', async () => {
    await call('create-secret', { as: admin, body: { name: 'beside', value: 'v' } });
    const keys = services.database.all<{ id: string; environment: string | null }>(
      "SELECT id, environment FROM data_keys WHERE org = 'acme'",
    );
    expect(new Set(keys.map(({ environment }) => environment))).toEqual(new Set(['#recipients', null]));
    const apart = keys.filter(({ environment }) => environment === '#recipients').map(({ id }) => id);
    const sealed = services.database
      .all<{ recipient: string }>('SELECT recipient FROM recipients')
      .map(
        ({ recipient }) =>
          z.object({ sealed: z.object({ data_key: z.string() }).nullable() }).parse(JSON.parse(recipient))
            .sealed,
      )
      .filter((one) => one !== null);
    expect(sealed.length).toBeGreaterThan(0);
    for (const { data_key } of sealed) expect(apart).toContain(data_key);
  });

  test('another organization sees and deletes none of it', async () => {
    expect(itemsOf(await call('list-notifications', { as: rival }))).toEqual([]);
    const [mine] = itemsOf(await call('list-notifications', { as: admin }));
    const params = { id: String(mine?.['id']) };
    expect((await call('delete-notification', { as: rival, params })).status).toBe(404);
    const deleted = await call('delete-notification', { as: admin, params });
    expect(deleted.status).toBe(204);
    expect(eventsOf(deleted)).toEqual([expect.objectContaining({ action: 'delete_notification' })]);
    expect((await call('delete-notification', { as: admin, params })).status).toBe(404);
  });

  test('a repeated request makes no second one, and shows no key again', async () => {
    const request = {
      as: rival,
      body: { kind: 'webhook', url: URL_OF_HOOK },
      headers: { 'idempotency-key': 'once' },
    };
    expect((await call('create-notification', request)).status).toBe(201);
    const again = await call('create-notification', request);
    expect(again.status).toBe(409);
    expect(itemsOf(await call('list-notifications', { as: rival }))).toHaveLength(1);
  });

  test.each([
    { body: { kind: 'email' }, field: 'address' },
    { body: { kind: 'email', address: 'a@b' }, field: 'address' },
    { body: { kind: 'email', address: 'a@b.c\r\nBcc: x@y.z' }, field: 'address' },
    { body: { kind: 'email', address: 'A <a@b.example>' }, field: 'address' },
    { body: { kind: 'webhook', address: 'a@b.example', url: URL_OF_HOOK }, field: 'address' },
    { body: { kind: 'calendar', url: URL_OF_HOOK }, field: 'url' },
    { body: { kind: 'slack' }, field: 'url' },
    { body: { kind: 'email', address: 'a@b.example', states: [] }, field: 'states' },
    { body: { kind: 'email', address: 'a@b.example', states: ['late'] }, field: 'states' },
    { body: { kind: 'pager' }, field: 'kind' },
  ])('refuses $body.kind with a wrong $field', async ({ body, field }) => {
    const refused = await create(body);
    expect(refused.status).toBe(422);
    const { errors } = jsonOf(refused) as { errors: { path: string }[] };
    expect(new Set(errors.map(({ path }) => path.split('.')[0]))).toEqual(new Set([field]));
  });

  test.each([
    'http://hooks.example.com/x',
    'ftp://hooks.example.com/x',
    'file:///etc/passwd',
    'hooks.example.com/x',
    'https://user:pass@hooks.example.com/',
    'https://127.0.0.1/x',
    'https://127.1/x',
    'https://2130706433/x',
    'https://0x7f000001/x',
    'https://017700000001/x',
    'https://10.0.0.1/x',
    'https://172.16.9.9/x',
    'https://192.168.1.1/x',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/x',
    'https://0.0.0.0/x',
    'https://[::1]/x',
    'https://[::]/x',
    'https://[::ffff:10.0.0.1]/x',
    'https://[::ffff:a00:1]/x',
    'https://[64:ff9b::a00:1]/x',
    'https://[2002:a00:1::]/x',
    'https://[fd00:ec2::254]/x',
    'https://[fe80::1]/x',
    'https://[2001:db8::1]/x',
    'https://127.0.0.1./x',
  ])('refuses a webhook at %s, and does not repeat it', async (url) => {
    const refused = await create({ kind: 'webhook', url });
    expect(refused.status).toBe(422);
    expect((jsonOf(refused)['errors'] as { path: string }[]).map(({ path }) => path)).toEqual(['url']);
    expect(refused.text).not.toContain(url);
  });

  test('a hundred are enough', async () => {
    const many = await newOrganization('many');
    for (let made = 0; made < 100; made += 1)
      expect((await create({ kind: 'email', address: `a${made}@example.com` }, many)).status).toBe(201);
    expect((await create({ kind: 'email', address: 'more@example.com' }, many)).status).toBe(422);
  });
});

describe('a calendar', () => {
  const feedOf = async (path: unknown) =>
    call('read-calendar', { params: { file: String(path).split('/').at(-1) ?? '' } });

  test('has a day for each secret that is to be rotated, of its organization and owner', async () => {
    const labels = { owner: 'ada@example.com' };
    const body = { value: 'canary-value-7', rotation_days: 30, description: 'canary-description' };
    await call('create-secret', { as: admin, body: { name: 'mine', metadata: labels, ...body } });
    const place = { scope: 'pipeline', pipeline_id: 'a|b', environment: 'production' };
    await call('create-secret', { as: admin, body: { name: 'piped', metadata: labels, ...place, ...body } });
    await call('create-secret', { as: admin, body: { name: 'other', ...body } });
    await call('create-secret', { as: admin, body: { name: 'undated', value: 'v' } });
    await call('create-secret', { as: rival, body: { name: 'theirs', ...body } });
    const made = await create({ kind: 'calendar', owner: 'ada@example.com' });
    const feed = await feedOf(jsonOf(made)['calendar_path']);
    expect(feed.status).toBe(200);
    expect(feed.headers['content-type']).toBe('text/calendar; charset=utf-8');
    const lines = feed.text.split('\r\n');
    expect(lines.slice(0, 2)).toEqual(['BEGIN:VCALENDAR', 'VERSION:2.0']);
    expect(lines.slice(-2)).toEqual(['END:VCALENDAR', '']);
    expect(feed.text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    const unfolded = feed.text.replaceAll('\r\n ', '');
    const summaries = [...unfolded.matchAll(/SUMMARY:(.*)\r/g)].map(([, text]) => text);
    expect(summaries).toEqual([
      'Rotate mine (every environment)',
      'Rotate piped (production\\, pipeline a|b)',
    ]);
    expect(unfolded).toContain(
      "fm secrets rotate piped --scope pipeline --pipeline 'a|b' --env production\\n",
    );
    const due = new Date(Date.now() + 30 * 24 * 60 * 60 * 1000);
    expect(unfolded).toContain(`DTSTART;VALUE=DATE:${due.toISOString().slice(0, 10).replaceAll('-', '')}`);
    expect(unfolded).not.toContain('canary');
    expect((await feedOf(jsonOf(made)['calendar_path'])).text.match(/UID:.*/g)).toEqual(
      feed.text.match(/UID:.*/g),
    );
  });

  test('is gone with its notification, and its token opens nothing else', async () => {
    const made = jsonOf(await create({ kind: 'calendar' }));
    const token = /fmc_[\w-]{43}/.exec(String(made['calendar_path']))?.[0] ?? '';
    const stored = services.database.all('SELECT recipient, token_hash FROM recipients');
    expect(JSON.stringify(stored)).not.toContain(token);
    expect((await call('list-secrets', { as: token })).status).toBe(401);
    await call('delete-notification', { as: admin, params: { id: String(made['id']) } });
    expect((await feedOf(made['calendar_path'])).status).toBe(404);
    for (const file of ['fmc_.ics', `${token}.ics.ics`, `${token}`, `../${token}.ics`])
      expect((await call('read-calendar', { params: { file } })).status).toBe(422);
  });
});
