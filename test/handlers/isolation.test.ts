import { beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../functions/routes.ts';
import {
  allPages,
  call,
  eventsOf,
  jsonOf,
  newKey,
  newKeyWithId,
  newOrganization,
  newRun,
  type Reply,
  type Request,
  record,
} from '../testkit/api.ts';

import { tally } from '../testkit/tally.ts';

// Routes × callers × secrets against drawings: nothing here asks the code what it would allow.

const TOMORROW = new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString();

const SECRETS = {
  org: {},
  orgStg: { environment: 'staging' },
  orgPrd: { environment: 'production' },
  p1: { scope: 'pipeline', pipeline_id: 'p1' },
  p1Stg: { scope: 'pipeline', pipeline_id: 'p1', environment: 'staging' },
  p1Prd: { scope: 'pipeline', pipeline_id: 'p1', environment: 'production' },
  p2Stg: { scope: 'pipeline', pipeline_id: 'p2', environment: 'staging' },
  ada: { scope: 'user', user: 'ada' },
  bobStg: { scope: 'user', user: 'bob', environment: 'staging' },
} as const;
type SecretKey = keyof typeof SECRETS;
const secretKeys = Object.keys(SECRETS) as SecretKey[];

/**
 * Per caller: what it can do with each of the secrets above, `w` write and read, `r` read, `.` not see; and
 * what its kind may do at all. Letters: c create and write · a read the audit log · k manage keys · s start a run ·
 * e end a run · v resolve · r read.
 */
const CALLERS = {
  admin: { kind: 'racek', reach: 'www www w ww' },
  editor: { kind: 'rac', reach: 'www www w ww' },
  viewer: { kind: 'ra', reach: 'rrr rrr r rr' },
  runtime: { kind: 'rsev', reach: 'rrr rrr r rr' },
  run: { kind: 'rev', reach: 'rr. rr. . r.' },
  adminStaging: { kind: 'rce', reach: 'rw. rw. w rw' },
  editorStaging: { kind: 'rc', reach: 'rw. rw. w rw' },
  editorP1: { kind: 'rc', reach: 'rrr www . rr' },
  editorP1Staging: { kind: 'rc', reach: 'rr. rw. . rr' },
  viewerStaging: { kind: 'r', reach: 'rr. rr. r rr' },
  runtimeP1Staging: { kind: 'rsev', reach: 'rr. rr. . rr' },
  rivalAdmin: { kind: 'racek', reach: '... ... . ..' },
  rivalEditor: { kind: 'rac', reach: '... ... . ..' },
  rivalRuntime: { kind: 'rsev', reach: '... ... . ..' },
  nobody: { kind: '-', reach: '... ... . ..' },
  mistyped: { kind: '-', reach: '... ... . ..' },
  revoked: { kind: '-', reach: '... ... . ..' },
  endedRun: { kind: '-', reach: '... ... . ..' },
} as const;
type CallerKey = keyof typeof CALLERS;
const callerKeys = Object.keys(CALLERS) as CallerKey[];

const credentials: { [Key in CallerKey]?: string | undefined } = {};
let runtimeKeyId = '';

beforeAll(async () => {
  const admin = await newOrganization('acme');
  const rivalAdmin = await newOrganization('rival');
  const runtime = await newKeyWithId(admin, { role: 'runtime' });
  runtimeKeyId = runtime.id;
  const run = await newRun(runtime.api_key, {
    pipeline_id: 'p1',
    environment: 'staging',
    user: 'ada',
    run_id: 'run-1',
  });
  const ended = await newRun(runtime.api_key, { pipeline_id: 'p1', environment: 'staging', run_id: 'run-2' });
  await call('end-run', { as: runtime.api_key, params: { run_id: 'run-2' } });
  const revoked = await newKeyWithId(admin, { role: 'admin' });
  await call('revoke-api-key', { as: admin, params: { id: revoked.id } });
  Object.assign(credentials, {
    admin,
    editor: await newKey(admin, { role: 'editor' }),
    viewer: await newKey(admin, { role: 'viewer' }),
    runtime: runtime.api_key,
    run: run.run_token,
    adminStaging: await newKey(admin, { role: 'admin', environments: ['staging'] }),
    editorStaging: await newKey(admin, { role: 'editor', environments: ['staging'] }),
    editorP1: await newKey(admin, { role: 'editor', pipelines: ['p1'] }),
    editorP1Staging: await newKey(admin, { role: 'editor', pipelines: ['p1'], environments: ['staging'] }),
    viewerStaging: await newKey(admin, { role: 'viewer', environments: ['staging'] }),
    runtimeP1Staging: await newKey(admin, { role: 'runtime', pipelines: ['p1'], environments: ['staging'] }),
    rivalAdmin,
    rivalEditor: await newKey(rivalAdmin, { role: 'editor' }),
    rivalRuntime: await newKey(rivalAdmin, { role: 'runtime' }),
    nobody: undefined,
    mistyped: `${admin.slice(0, -1)}${admin.endsWith('0') ? '1' : '0'}`,
    revoked: revoked.api_key,
    endedRun: ended.run_token,
  });
  for (const key of secretKeys) {
    await call('create-secret', { as: admin, body: { name: key, value: `v1 ${key}`, ...SECRETS[key] } });
    await call('rotate-secret', { as: admin, params: { name: key }, body: { new_value: `v2 ${key}` } });
  }
});

const as = (caller: CallerKey, request: Request = {}): Request => ({ ...request, as: credentials[caller] });
const may = (caller: CallerKey, letter: string) => CALLERS[caller].kind.includes(letter);
const isNobody = (caller: CallerKey) => CALLERS[caller].kind === '-';
const letterOf = (caller: CallerKey, secret: SecretKey) =>
  CALLERS[caller].reach.replaceAll(' ', '')[secretKeys.indexOf(secret)];

/** What must be true of every refusal, whatever was refused. */
function expectRefusal(reply: Reply, attempted: string): void {
  tally('answers judged');
  const events = eventsOf(reply);
  if (reply.status === 403) {
    expect(events).toEqual([
      expect.objectContaining({
        action: 'denied',
        outcome: 'denied',
        attempted,
        request_id: reply.requestId,
      }),
    ]);
  } else if (reply.status === 401) {
    // Of a credential that is known and refused there is a record, see refused.test.ts; of others there is none.
    expect(['', 'authenticate']).toContain(events.map((event) => event['attempted']).join());
  } else if (reply.status >= 400) {
    expect(events).toEqual([]);
  }
  if (reply.status === 401) expect(reply.headers['www-authenticate']).toBe('Bearer');
  if (reply.status >= 400) {
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(jsonOf(reply)['request_id']).toBe(reply.requestId);
  }
}

describe.each(callerKeys)('%s', (caller) => {
  it.each(['describe-secret', 'secret-history'])('%s', async (route) => {
    for (const secret of secretKeys) {
      const reply = await call(route, as(caller, { params: { name: secret } }));
      const expected = isNobody(caller) ? 401 : letterOf(caller, secret) === '.' ? 404 : 200;
      expect({ secret, status: reply.status }).toEqual({ secret, status: expected });
      expectRefusal(reply, 'read');
    }
  });

  it.each([
    { route: 'rotate-secret', action: 'rotate', body: { new_value: 'v3' }, done: 200 },
    { route: 'rollback-secret', action: 'rollback', body: { version: 1 }, done: 200 },
    { route: 'update-secret', action: 'update', body: { description: 'changed' }, done: 200 },
    { route: 'ack-secret', action: 'update', body: { reason: 'later', until: TOMORROW }, done: 200 },
    { route: 'snooze-secret', action: 'update', body: { days: 1 }, done: 200 },
    // It has no rotator: who may rotate hears of that.
    { route: 'request-rotation', action: 'rotate', body: { action: 'start' }, done: 409 },
    // Nothing is pending: who may activate hears of the state.
    { route: 'activate-secret', action: 'activate', body: {}, done: 409 },
    { route: 'abandon-secret', action: 'abandon', body: {}, done: 409 },
    { route: 'prune-secret', action: 'prune', body: {}, done: 200 },
    { route: 'delete-secret', action: 'delete', body: undefined, done: 204 },
    { route: 'restore-secret', action: 'restore', body: undefined, done: 200 },
  ])('$route', async ({ route, action, body, done }) => {
    for (const secret of secretKeys) {
      const params = { name: secret };
      if (route === 'restore-secret') await call('delete-secret', as('admin', { params }));
      const reply = await call(route, as(caller, { params, body }));
      if (route.startsWith('delete') || route.startsWith('restore'))
        await call('restore-secret', as('admin', { params }));
      expect({ secret, status: reply.status }).toEqual({ secret, status: writeStatus(caller, secret, done) });
      expectRefusal(reply, action);
    }
  });

  it('put-secret of one that exists', async () => {
    for (const secret of secretKeys) {
      const body = { value: 'v', ...SECRETS[secret] };
      const reply = await call('put-secret', as(caller, { params: { name: secret }, body }));
      // Another organization's writers find the place empty, and fill it in their own.
      const expected = createStatus(caller, secret, ownOrganization(caller) ? 200 : 201);
      await remove('rivalAdmin', secret);
      expect({ secret, status: reply.status }).toEqual({ secret, status: expected });
      expectRefusal(reply, 'create');
    }
  });

  it('create-secret, where there is none and where there is one', async () => {
    for (const secret of secretKeys) {
      const name = `new_${secret}`;
      const body = { name, value: 'v', ...SECRETS[secret] };
      const first = await call('create-secret', as(caller, { body }));
      const taken = await call('create-secret', as(caller, { body: { ...body, name: secret } }));
      for (const writer of ['admin', 'rivalAdmin'] as const) await remove(writer, name);
      await remove('rivalAdmin', secret);
      expect({ secret, status: first.status }).toEqual({ secret, status: createStatus(caller, secret, 201) });
      expect(taken.status).toBe(createStatus(caller, secret, ownOrganization(caller) ? 409 : 201));
      expectRefusal(first, 'create');
    }
  });

  it('compare-secrets, and the fingerprint of what it sees', async () => {
    for (const secret of secretKeys) {
      const entry = { name: secret, value: `v1 ${secret}`, environment: 'none', ...SECRETS[secret] };
      const reply = await call('compare-secrets', as(caller, { body: { entries: [entry] } }));
      expect({ secret, status: reply.status }).toEqual({ secret, status: createStatus(caller, secret, 200) });
      expectRefusal(reply, 'compare');
      if (reply.status === 200 && !ownOrganization(caller)) expect(reply.text).toContain('"absent"');
      const described = await call('describe-secret', as(caller, { params: { name: secret } }));
      const print = typeof jsonOf(described)['fingerprint'] === 'string';
      const writes = ownOrganization(caller) && createStatus(caller, secret, 200) === 200;
      expect({ secret, print }).toEqual({ secret, print: writes });
    }
  });

  it('list-secrets: exactly what it may see', async () => {
    const reply = await call('list-secrets', as(caller));
    expect(reply.status).toBe(isNobody(caller) ? 401 : 200);
    if (isNobody(caller)) return;
    const listed = (await allPages('list-secrets', as(caller, { query: { limit: '4' } }))).flat();
    const visible = secretKeys.filter((secret) => letterOf(caller, secret) !== '.');
    expect(listed.map(({ name }) => name)).toEqual([...visible].sort());
    const values = listed.filter((item) => 'value' in item || 'sealed' in item);
    expect(values).toEqual([]);
  });

  it.each([
    { route: 'query-audit', letter: 'a', action: 'read_audit', request: {}, done: 200 },
    {
      route: 'list-runs',
      letter: 'a',
      action: 'read_audit',
      request: { query: { secret_name: 'org' } },
      done: 200,
    },
    {
      route: 'describe-run',
      letter: 'r',
      action: 'read_run',
      request: { params: { run_id: 'run-nobodys' } },
      done: 404,
    },
    { route: 'verify-audit', letter: 'a', action: 'read_audit', request: {}, done: 200 },
    { route: 'export-audit', letter: 'a', action: 'read_audit', request: {}, done: 200 },
    { route: 'audit-public-key', letter: 'a', action: 'read_audit', request: {}, done: 200 },
    // No checkpoint covers a record here, and so none can be proven.
    {
      route: 'prove-audit',
      letter: 'a',
      action: 'read_audit',
      request: { query: { sequence: '1' } },
      done: 422,
    },
    {
      route: 'secret-access',
      letter: 'k',
      action: 'manage_api_keys',
      request: { params: { name: 'nobodys' } },
      done: 404,
    },
    { route: 'list-api-keys', letter: 'k', action: 'manage_api_keys', request: {}, done: 200 },
    { route: 'describe-organization', letter: 'k', action: 'manage_organization', request: {}, done: 200 },
    {
      route: 'update-organization',
      letter: 'k',
      action: 'manage_organization',
      request: { body: {} },
      done: 200,
    },
    {
      route: 'create-api-key',
      letter: 'k',
      action: 'manage_api_keys',
      request: { body: { name: 'x', role: 'viewer' } },
      done: 201,
    },
    {
      route: 'revoke-api-key',
      letter: 'k',
      action: 'manage_api_keys',
      request: { params: { id: 'Nobodysapikey000' } },
      done: 404,
    },
    {
      route: 'start-run',
      letter: 's',
      action: 'start_run',
      request: { body: { pipeline_id: 'p1', environment: 'staging' } },
      done: 201,
    },
    {
      route: 'end-run',
      letter: 'e',
      action: 'end_run',
      request: { params: { run_id: 'run-nobodys' } },
      done: 404,
    },
    { route: 'list-secrets', letter: 'r', action: 'read', request: {}, done: 200 },
    { route: 'list-notifications', letter: 'k', action: 'manage_organization', request: {}, done: 200 },
    {
      route: 'create-notification',
      letter: 'k',
      action: 'manage_organization',
      request: { body: { kind: 'email', address: 'team@example.com' } },
      done: 201,
    },
    {
      route: 'delete-notification',
      letter: 'k',
      action: 'manage_organization',
      request: { params: { id: '00000000-0000-4000-8000-000000000000' } },
      done: 404,
    },
    {
      route: 'read-calendar',
      letter: '',
      action: 'public',
      request: { params: { file: `fmc_${'x'.repeat(43)}.ics` } },
      done: 404,
    },
    { route: 'health', letter: '', action: 'public', request: {}, done: 200 },
    { route: 'openapi', letter: '', action: 'public', request: {}, done: 200 },
  ])('$route', async ({ route, letter, action, request, done }) => {
    const reply = await call(route, as(caller, request));
    const expected = action === 'public' ? done : isNobody(caller) ? 401 : may(caller, letter) ? done : 403;
    expect(reply.status).toBe(expected);
    // Of a public route no credential is read: what the authorizer notes of it here, API Gateway does not ask for.
    if (action !== 'public') expectRefusal(reply, action);
  });

  it.each([
    { route: 'resolve-config', letter: 'v', action: 'resolve' },
    { route: 'check-config', letter: 'r', action: 'check' },
  ])('$route, by place', async ({ route, letter, action }) => {
    const places = [
      { environment: 'staging', pipeline_id: 'p1', user: 'ada', run_id: 'run-1' },
      { environment: 'production', pipeline_id: 'p1', user: 'ada', run_id: 'run-1' },
      { environment: 'staging', pipeline_id: 'p2', user: 'ada', run_id: 'run-1' },
      { environment: 'staging', pipeline_id: 'p1', user: 'bob', run_id: 'run-1' },
      { environment: 'staging', pipeline_id: 'p1', user: 'ada', run_id: 'run-9' },
      { environment: 'staging' },
    ];
    const statuses: number[] = [];
    for (const place of places) {
      const reply = await call(route, as(caller, { body: { config: { plain: 1 }, ...place } }));
      statuses.push(reply.status);
      expectRefusal(reply, action);
    }
    expect(statuses).toEqual(placeStatuses(caller, letter));
  });

  it('resolve-config: each secret where it serves, and nowhere else', async () => {
    if (!may(caller, 'v')) return;
    const place = caller === 'run' ? {} : { environment: 'staging', pipeline_id: 'p1', user: 'ada' };
    for (const secret of secretKeys) {
      const body = { config: `{{secrets.${secret}}}`, ...place };
      const reply = await call('resolve-config', as(caller, { body }));
      const serves = ownOrganization(caller) && ['org', 'orgStg', 'p1', 'p1Stg', 'ada'].includes(secret);
      expect({ secret, status: reply.status }).toEqual({ secret, status: serves ? 200 : 422 });
    }
  });
});

function ownOrganization(caller: CallerKey): boolean {
  return !caller.startsWith('rival');
}

async function remove(writer: CallerKey, name: string): Promise<void> {
  await call('delete-secret', as(writer, { params: { name }, query: { recovery_days: '0' } }));
}

function writeStatus(caller: CallerKey, secret: SecretKey, done: number): number {
  if (isNobody(caller)) return 401;
  if (!may(caller, 'c')) return 403;
  const letter = letterOf(caller, secret);
  return letter === 'w' ? done : letter === 'r' ? 403 : 404;
}

function createStatus(caller: CallerKey, secret: SecretKey, done: number): number {
  if (isNobody(caller)) return 401;
  if (!ownOrganization(caller)) return may(caller, 'c') ? done : 403;
  return may(caller, 'c') && letterOf(caller, secret) === 'w' ? done : 403;
}

function placeStatuses(caller: CallerKey, letter: string): number[] {
  if (isNobody(caller)) return [401, 401, 401, 401, 401, 401];
  if (!may(caller, letter)) return [403, 403, 403, 403, 403, 403];
  switch (caller) {
    case 'run':
      // With a run token what is not named is the run's.
      return [200, 403, 403, 403, 403, 200];
    case 'adminStaging':
    case 'editorStaging':
    case 'viewerStaging':
      return [200, 403, 200, 200, 200, 200];
    case 'editorP1':
      return [200, 200, 403, 200, 200, 403];
    case 'editorP1Staging':
    case 'runtimeP1Staging':
      return [200, 403, 403, 200, 200, 403];
    default:
      return [200, 200, 200, 200, 200, 200];
  }
}

describe('starting and ending runs', () => {
  it.each([
    { caller: 'runtimeP1Staging', pipeline_id: 'p1', environment: 'staging', status: 201 },
    { caller: 'runtimeP1Staging', pipeline_id: 'p2', environment: 'staging', status: 403 },
    { caller: 'runtimeP1Staging', pipeline_id: 'p1', environment: 'production', status: 403 },
    { caller: 'runtime', pipeline_id: 'p2', environment: 'production', status: 201 },
    { caller: 'runtime', pipeline_id: 'p2', environment: 'moon', status: 422 },
  ] as const)(
    '$caller starts one of $pipeline_id in $environment: $status',
    async ({ caller, status, ...body }) => {
      const reply = await call('start-run', as(caller, { body }));
      expect(reply.status).toBe(status);
      expectRefusal(reply, 'start_run');
    },
  );

  it.each([
    { caller: 'runtimeP1Staging', run: { pipeline_id: 'p1', environment: 'staging' }, status: 204 },
    { caller: 'runtimeP1Staging', run: { pipeline_id: 'p2', environment: 'staging' }, status: 404 },
    { caller: 'runtimeP1Staging', run: { pipeline_id: 'p1', environment: 'production' }, status: 404 },
    { caller: 'adminStaging', run: { pipeline_id: 'p1', environment: 'production' }, status: 404 },
    { caller: 'admin', run: { pipeline_id: 'p1', environment: 'production' }, status: 204 },
    { caller: 'run', run: { pipeline_id: 'p1', environment: 'staging' }, status: 404 },
    { caller: 'rivalRuntime', run: { pipeline_id: 'p1', environment: 'staging' }, status: 404 },
    { caller: 'rivalAdmin', run: { pipeline_id: 'p1', environment: 'staging' }, status: 404 },
  ] as const)('$caller ends one of $run: $status', async ({ caller, run, status }) => {
    const { run_id, run_token } = await newRun(String(credentials.runtime), run);
    const reply = await call('end-run', as(caller, { params: { run_id } }));
    expect(reply.status).toBe(status);
    const afterwards = await call('resolve-config', { as: run_token, body: { config: {} } });
    expect(afterwards.status).toBe(status === 204 ? 401 : 200);
  });

  it('a run ends itself, and its token with it', async () => {
    const { run_id, run_token } = await newRun(String(credentials.runtime), {
      pipeline_id: 'p1',
      environment: 'staging',
    });
    expect((await call('end-run', { as: run_token, params: { run_id } })).status).toBe(204);
    expect((await call('end-run', { as: run_token, params: { run_id } })).status).toBe(401);
  });

  it('a run dies with the key that started it', async () => {
    const key = await newKeyWithId(String(credentials.admin), { role: 'runtime' });
    const { run_token } = await newRun(key.api_key, { pipeline_id: 'p1', environment: 'staging' });
    expect((await call('resolve-config', { as: run_token, body: { config: {} } })).status).toBe(200);
    expect((await call('revoke-api-key', as('admin', { params: { id: key.id } }))).status).toBe(204);
    expect((await call('resolve-config', { as: run_token, body: { config: {} } })).status).toBe(401);
  });
});

describe('what a run used', () => {
  /** Resolves in three places that all bear the same run_id, as whoever runs them may choose. */
  async function useIn(run_id: string): Promise<void> {
    const uses = [
      { config: '{{secrets.p1Stg}}', environment: 'staging', pipeline_id: 'p1', user: 'ada' },
      { config: '{{secrets.p1Prd}}', environment: 'production', pipeline_id: 'p1', user: 'ada' },
      { config: '{{secrets.p2Stg}}', environment: 'staging', pipeline_id: 'p2', user: 'bob' },
    ];
    for (const body of uses)
      expect((await call('resolve-config', as('runtime', { body: { ...body, run_id } }))).status).toBe(200);
    await record();
  }

  it.each([
    { caller: 'admin', seen: ['p1Stg', 'p1Prd', 'p2Stg'] },
    { caller: 'viewer', seen: ['p1Stg', 'p1Prd', 'p2Stg'] },
    { caller: 'viewerStaging', seen: ['p1Stg', 'p2Stg'] },
    { caller: 'editorP1', seen: ['p1Stg', 'p1Prd'] },
    { caller: 'runtimeP1Staging', seen: ['p1Stg'] },
    { caller: 'run', seen: null },
    { caller: 'rivalAdmin', seen: null },
  ] as const)('$caller sees $seen of what bears its id', async ({ caller, seen }) => {
    const run_id = `uses-${caller}`;
    await useIn(run_id);
    const reply = await call('describe-run', as(caller, { params: { run_id } }));
    expect(reply.status).toBe(seen === null ? 404 : 200);
    if (seen === null) return;
    const used = jsonOf(reply)['secrets'];
    expect(used).toEqual(seen.map((name) => expect.objectContaining({ name, resolves: 1 })));
  });

  it.each([
    { caller: 'run', run_id: 'run-1', status: 200 },
    { caller: 'run', run_id: 'run-2', status: 404 },
    { caller: 'runtimeP1Staging', run_id: 'run-2', status: 200 },
    { caller: 'editorP1', run_id: 'run-2', status: 200 },
    { caller: 'rivalAdmin', run_id: 'run-2', status: 404 },
    { caller: 'endedRun', run_id: 'run-2', status: 401 },
  ] as const)('$caller describes $run_id: $status', async ({ caller, run_id, status }) => {
    expect((await call('describe-run', as(caller, { params: { run_id } }))).status).toBe(status);
  });
});

describe('what cannot be seen answers like what is not there', () => {
  /** An answer but for the id of its request. */
  const said = ({ status, headers, text, requestId }: Reply) => ({
    status,
    headers: { ...headers, 'x-request-id': '' },
    text: text.replace(requestId, ''),
  });

  it.each([
    { caller: 'rivalAdmin', route: 'describe-secret' },
    { caller: 'rivalAdmin', route: 'secret-history' },
    { caller: 'rivalEditor', route: 'delete-secret' },
    { caller: 'rivalEditor', route: 'restore-secret' },
    { caller: 'rivalEditor', route: 'rotate-secret', body: { new_value: 'v' } },
    { caller: 'rivalEditor', route: 'rollback-secret', body: { version: 1 } },
    { caller: 'rivalEditor', route: 'update-secret', body: {} },
    { caller: 'rivalEditor', route: 'ack-secret', body: { reason: 'later', until: TOMORROW } },
    { caller: 'rivalEditor', route: 'snooze-secret', body: { days: 1 } },
    { caller: 'editorStaging', route: 'describe-secret' },
    { caller: 'editorStaging', route: 'delete-secret' },
    { caller: 'editorStaging', route: 'rotate-secret', body: { new_value: 'v' } },
    { caller: 'runtimeP1Staging', route: 'describe-secret' },
    { caller: 'run', route: 'describe-secret' },
  ] as const)('$caller, $route', async ({ caller, route, ...request }) => {
    await call(
      'create-secret',
      as('admin', { body: { name: 'hidden', value: 'v', environment: 'production' } }),
    );
    const hidden = await call(route, as(caller, { ...request, params: { name: 'hidden' } }));
    const absent = await call(route, as(caller, { ...request, params: { name: 'absent' } }));
    expect(said(hidden)).toEqual(said(absent));
    expect(hidden.status).toBe(404);
  });

  it.each(['describe-secret', 'restore-secret'])('and so does what was deleted, %s', async (route) => {
    const body = { name: `gone-${route}`, value: 'v', environment: 'production' };
    await call('create-secret', as('admin', { body }));
    await call('delete-secret', as('admin', { params: { name: body.name } }));
    const hidden = await call(route, as('editorStaging', { params: { name: body.name } }));
    const absent = await call(route, as('editorStaging', { params: { name: 'absent' } }));
    expect(said(hidden)).toEqual(said(absent));
  });

  it('a name that is taken elsewhere is free here', async () => {
    const body = { name: 'shared-name', value: 'theirs' };
    expect((await call('create-secret', as('admin', { body }))).status).toBe(201);
    expect((await call('create-secret', as('rivalAdmin', { body }))).status).toBe(201);
  });

  it("another organization's API keys and runs", async () => {
    const key = await call('revoke-api-key', as('rivalAdmin', { params: { id: runtimeKeyId } }));
    const noKey = await call('revoke-api-key', as('rivalAdmin', { params: { id: 'Nobodysapikey000' } }));
    expect(said(key)).toEqual(said(noKey));
    const run = await call('end-run', as('rivalAdmin', { params: { run_id: 'run-1' } }));
    const noRun = await call('end-run', as('rivalAdmin', { params: { run_id: 'run-nobodys' } }));
    expect(said(run)).toEqual(said(noRun));
    expect((await call('describe-secret', as('run', { params: { name: 'org' } }))).status).toBe(200);
  });

  it('a reference to it fails like one to nothing', async () => {
    const place = { environment: 'staging', pipeline_id: 'p1', user: 'ada' };
    const textOf = async (name: string) => {
      const body = { config: `{{secrets.${name}}}`, ...place };
      const reply = await call('resolve-config', as('runtimeP1Staging', { body }));
      return reply.text.replaceAll(name, '').replace(reply.requestId, '');
    };
    expect(await textOf('orgPrd')).toBe(await textOf('zzzzzz'));
  });
});

it.each(['editor', 'viewer', 'runtime', 'rivalAdmin'] as const)('%s sets no rotator', async (caller) => {
  const reply = await call('set-rotator', as(caller, { params: { name: 'org' }, body: { rotator: null } }));
  expect(reply.status).toBe(caller === 'rivalAdmin' ? 404 : 403);
});

it('every route of the table is in one of the tests above', () => {
  const covered = [
    ...['describe-secret', 'secret-history', 'rotate-secret', 'rollback-secret', 'update-secret'],
    ...['delete-secret', 'restore-secret', 'put-secret', 'create-secret', 'list-secrets', 'query-audit'],
    ...['activate-secret', 'abandon-secret', 'prune-secret', 'set-rotator', 'request-rotation'],
    ...[
      'compare-secrets',
      'describe-organization',
      'update-organization',
      'ack-secret',
      'snooze-secret',
      'describe-caller',
    ],
    // The audit's.
    ...['export-audit', 'prove-audit', 'audit-public-key', 'secret-access'],
    ...['verify-audit', 'list-api-keys', 'create-api-key', 'revoke-api-key', 'start-run', 'end-run'],
    ...['create-notification', 'list-notifications', 'delete-notification', 'read-calendar'],
    ...['resolve-config', 'check-config', 'list-runs', 'describe-run', 'health', 'openapi'],
  ];
  expect(routes.map(({ name }) => name).sort()).toEqual(covered.sort());
});
