import { beforeAll, describe, expect, it, vi } from 'vitest';
import { verifyWhole } from '../../shared/audit/verify-audit.ts';
import { resealVersions } from '../../shared/backup/reseal-versions.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { call, jsonOf, newKey, newOrganization, record, services } from '../testkit/api.ts';
import { codeOfRejection } from '../testkit/failure.ts';

// Versions are sealed anew under new data keys. The strongest proof: the old data keys are removed, and all opens.

const db = services.database;
const org = organizationId.parse('acme');
vi.setConfig({ testTimeout: 120_000 });
let [admin, runtime] = ['', ''];
let before = '';

const send = async (name: string, route: string, body: object, more: object = {}) => {
  const reply = await call(route, { as: admin, params: { name }, body, ...more });
  expect([route, reply.status < 300]).toEqual([route, true]);
};
const resolved = async () => {
  const config = {
    plain: '{{secrets.plain}}{{secrets.plain@1}}{{secrets.plain@2}}',
    back: '{{secrets.back}}{{secrets.back@2}}',
    bytes: '{{secrets.bytes}}',
    alone: '{{secrets.alone}}',
    staged: '{{secrets.staged}}{{secrets.staged@pending}}',
  };
  services.dataKeys.clear();
  const reply = await call('resolve-config', { as: runtime, body: { config, environment: 'staging' } });
  return jsonOf(reply)['config'];
};
const expected = {
  plain: 'threeonetwo',
  back: 'firstsecond',
  bytes: '//79/A==',
  alone: 'alone',
  staged: 'livewaiting',
};
const dataKeys = () => db.all<{ id: string }>('SELECT id FROM data_keys').map(({ id }) => id);

beforeAll(async () => {
  db.run('PRAGMA synchronous = OFF');
  admin = await newOrganization('acme');
  runtime = await newKey(admin, { role: 'runtime' });
  const create = (name: string, value: string, more: object = {}) =>
    send(name, 'create-secret', { name, value, ...more });
  await create('plain', 'one');
  for (const new_value of ['two', 'three']) await send('plain', 'rotate-secret', { new_value });
  await create('back', 'first');
  await send('back', 'rotate-secret', { new_value: 'second' });
  await send('back', 'rollback-secret', { version: 1 });
  await create('bytes', '//79/A==', { encoding: 'base64', environment: 'staging' });
  await create('alone', 'alone', { isolation: 'dedicated' });
  await create('staged', 'live');
  await send('staged', 'rotate-secret', { new_value: 'waiting', stage: 'pending' });
  await create('gone', 'gone');
  await send('gone', 'delete-secret', {});
  await record();
  expect(await resolved()).toEqual(expected);
  await new Promise((resolve) => setTimeout(resolve, 5));
  before = new Date().toISOString();
  services.dataKeys.clear();
});

const VERSIONS = 3 + 3 + 1 + 1 + 2 + 1;

describe('resealing', () => {
  it('says first what it would do, and does nothing', async () => {
    const rows = () => JSON.stringify(db.all('SELECT * FROM versions ORDER BY key, version'));
    const untouched = rows();
    expect(await resealVersions(services, { before, apply: false })).toEqual({
      versions: VERSIONS,
      resealed: VERSIONS,
    });
    expect(rows()).toBe(untouched);
    const future = { before: new Date(Date.now() + 60_000).toISOString(), apply: true };
    expect(await codeOfRejection(resealVersions(services, future))).toBe('validation');
    expect(await codeOfRejection(resealVersions(services, { before: 'tomorrow', apply: true }))).toBe(
      'validation',
    );
  });

  it('interrupted, is done again with the same moment, and goes on', async () => {
    let saves = 0;
    const save: typeof services.secrets.save = async (change) => {
      saves += 1;
      if (saves > 4) throw new TypeError('the power is cut');
      return services.secrets.save(change);
    };
    const dying = new Proxy(services.secrets, {
      get: (store, name) => {
        if (name === 'save') return save;
        const member: unknown = Reflect.get(store, name);
        return typeof member === 'function' ? member.bind(store) : member;
      },
    });
    await expect(resealVersions({ ...services, secrets: dying }, { before, apply: true })).rejects.toThrow(
      'power',
    );
    expect(await resolved()).toEqual(expected);
    const left = { versions: VERSIONS, resealed: VERSIONS - 4 };
    expect(await resealVersions(services, { before, apply: false })).toEqual(left);
    expect(await resealVersions(services, { before, apply: true })).toEqual(left);
    expect(await resealVersions(services, { before, apply: true })).toEqual({
      versions: VERSIONS,
      resealed: 0,
    });
  });

  it('leaves nothing that an old data key is needed for', async () => {
    const old = dataKeys().length;
    db.run('DELETE FROM data_keys WHERE created_at < ?', before);
    expect(dataKeys().length).toBeLessThan(old);
    expect(await resolved()).toEqual(expected);
    await send('gone', 'restore-secret', {});
    await send('plain', 'rollback-secret', { version: 2 });
    await send('back', 'rotate-secret', { new_value: 'third' });
    await send('back', 'rollback-secret', { version: 3 });
    expect(await resolved()).toMatchObject({ plain: 'twoonetwo', back: 'firstsecond' });
    await send('staged', 'activate-secret', {});
  });

  it('leaves a record of each version, which the log is still true about', async () => {
    await record();
    const query = { action: 'reseal', limit: '100' };
    const records = JSON.parse((await call('query-audit', { as: admin, query })).text) as object[];
    expect(records).toHaveLength(VERSIONS);
    expect(records[0]).toMatchObject({ user: 'fm admin', outcome: 'success', version: expect.any(Number) });
    expect(await verifyWhole(services, org, { from: 0, root: null, isEnough: () => false })).toMatchObject({
      verified: true,
    });
    expect(jsonOf(await call('verify-audit', { as: admin }))).toMatchObject({ verified: true });
  });

  it('of a version that was tampered with changes nothing', async () => {
    const later = new Date(Date.now() + 5).toISOString();
    await new Promise((resolve) => setTimeout(resolve, 10));
    db.run("UPDATE versions SET sealed = zeroblob(length(sealed)) WHERE key LIKE 'alone#%'");
    services.dataKeys.clear();
    expect(await codeOfRejection(resealVersions(services, { before: later, apply: true }))).toBe(
      'decryption_failed',
    );
  });
});
