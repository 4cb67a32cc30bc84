import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Network } from '../../shared/http/post-public.ts';
import { tendSecrets } from '../../shared/rotation/tend-secrets.ts';
import { call, jsonOf, newKey, newOrganization, record, services } from '../testkit/api.ts';
import { type Hook, startHook } from '../testkit/hook.ts';

/** Rotations by hooks over real TLS, and by the schedule's own handler. */

// After the testkit has said where the store is.
const { handler: tend } = await import('../../functions/tend-secrets.ts');

let [admin, runtime] = ['', ''];
beforeAll(async () => {
  admin = await newOrganization('rotators');
  runtime = await newKey(admin, { role: 'runtime' });
});

const network = (hook: Hook, ca = hook.ca): Network => ({
  resolve: async () => ['127.0.0.1'],
  isAllowed: () => true,
  ca,
});
const describeSecret = async (name: string) =>
  jsonOf(await call('describe-secret', { as: admin, params: { name } }));
const ask = (name: string, action: string, dry_run = false) =>
  call('request-rotation', { as: admin, params: { name }, body: { action, dry_run } });
const resolved = async (reference: string) => {
  const body = { config: `{{secrets.${reference}}}`, environment: 'production' };
  return jsonOf(await call('resolve-config', { as: runtime, body }))['config'];
};

async function hooked(name: string, hook: Hook): Promise<string> {
  await call('create-secret', { as: admin, body: { name, value: 'the-old-value' } });
  const rotator = {
    kind: 'https',
    url: `https://hooks.example.com:${hook.port}/${name}`,
    keep_previous_for: '1s',
  };
  const set = await call('set-rotator', { as: admin, params: { name }, body: { rotator } });
  return String(jsonOf(set)['signing_key']);
}

describe('a hook', () => {
  test('makes, tests and ends a value; its key proves each post, and no value goes to it', async () => {
    await using hook = await startHook();
    const key = Buffer.from((await hooked('by_hook', hook)).slice('whsec_'.length), 'base64');
    // The hook knows the pending value as anybody does who may resolve it.
    const seen: unknown[] = [];
    hook.respond = async (response) => {
      const { step } = JSON.parse(hook.asked.at(-1)?.body ?? '{}') as { step: string };
      if (step === 'test') seen.push(await resolved('by_hook@pending'), await resolved('by_hook'));
      response.end(step === 'create' ? JSON.stringify({ value: 'the-new-value' }) : '');
    };
    expect((await ask('by_hook', 'start')).status).toBe(200);
    await tendSecrets({ ...services, network: network(hook) });
    expect(await describeSecret('by_hook')).toMatchObject({ version: 2, state: 'overlap' });
    expect(seen).toEqual(['the-new-value', 'the-old-value']);
    expect([await resolved('by_hook'), await resolved('by_hook@previous')]).toEqual([
      'the-new-value',
      'the-old-value',
    ]);
    const later = new Date(Date.now() + 5000);
    await tendSecrets({ ...services, network: network(hook), now: () => later });
    expect(await describeSecret('by_hook')).toMatchObject({
      state: 'settled',
      previous: null,
      rotation: { state: 'done' },
    });
    expect(hook.asked.map(({ body }) => JSON.parse(body).step)).toEqual(['create', 'test', 'finish']);
    for (const { headers, body, path } of hook.asked) {
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      const mac = (by: Buffer) => `v1,${createHmac('sha256', by).update(signed).digest('base64')}`;
      expect(headers['webhook-signature']).toBe(mac(key));
      expect(headers['webhook-signature']).not.toBe(mac(Buffer.alloc(key.length)));
      expect(path).toBe('/by_hook');
      expect(body).not.toMatch(/the-(old|new)-value/);
    }
    const ids = hook.asked.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(3);
  });

  test.each([
    ['500', (hook: Hook) => ({ hook, ca: hook.ca, status: 500 }), 'create: the hook answered 500'],
    ['a redirect', (hook: Hook) => ({ hook, ca: hook.ca, status: 302 }), 'create: the hook answered 302'],
    [
      'no value',
      (hook: Hook) => ({ hook, ca: hook.ca, status: 200 }),
      'create: the hook answered no {"value": …}',
    ],
    [
      'a certificate that nobody trusts',
      (hook: Hook) => ({ hook, ca: undefined, status: 200 }),
      'create: the hook cannot be reached',
    ],
  ])('that answers %s leaves the old version current; resumed, it goes on', async (what, setting, error) => {
    await using hook = await startHook();
    const name = `fails_${what.replaceAll(' ', '_')}`;
    await hooked(name, hook);
    const { ca, status } = setting(hook);
    hook.respond = (response) => response.writeHead(status, { location: 'https://example.com/' }).end('{}');
    await ask(name, 'start');
    const { ca: _ca, ...untrusting } = network(hook);
    await tendSecrets({ ...services, network: ca === undefined ? untrusting : network(hook) });
    expect(await describeSecret(name)).toMatchObject({ version: 1, rotation: { state: 'failed', error } });
    expect(await resolved(name)).toBe('the-old-value');
    hook.respond = (response) => response.end(JSON.stringify({ value: 'mended-value' }));
    expect((await ask(name, 'resume')).status).toBe(200);
    await tendSecrets({ ...services, network: network(hook) });
    expect(await resolved(name)).toBe('mended-value');
  });
});

test('the schedule, invoked as a Lambda is, carries out a rotation that was asked for', async () => {
  await call('create-secret', { as: admin, body: { name: 'by_schedule', value: 'the-old-value' } });
  const rotator = { kind: 'token', prefix: 'tok_' };
  await call('set-rotator', { as: admin, params: { name: 'by_schedule' }, body: { rotator } });
  await ask('by_schedule', 'start');
  await tend();
  expect(await resolved('by_schedule')).toMatch(/^tok_[A-Za-z0-9_-]{43}$/);
  expect(await resolved('by_schedule@previous')).toBe('the-old-value');
  await record();
  const trail = await call('query-audit', {
    as: admin,
    query: { secret_name: 'by_schedule', user: 'schedule' },
  });
  const actions = (JSON.parse(trail.text) as { action: string }[]).map(({ action }) => action);
  expect(actions).toEqual(expect.arrayContaining(['stage', 'activate']));
});
