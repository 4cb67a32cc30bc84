import { describe, expect, test } from 'vitest';
import {
  apiKeyDescription,
  apiKeyPath,
  createApiKeyRequest,
  createdApiKey,
  listApiKeysQuery,
  listRunsQuery,
  organizationDescription,
  runDescription,
  runPath,
  runUse,
  startedRun,
  startRunRequest,
  updateOrganizationRequest,
} from '../../../shared/contract/access.ts';
import {
  auditAction,
  auditEntry,
  auditOutcome,
  auditQuery,
  auditVerification,
} from '../../../shared/contract/audit.ts';
import { selector } from '../../../shared/contract/coordinates.ts';
import { organizationId } from '../../../shared/contract/ids.ts';
import {
  checkResponse,
  resolveInvocation,
  resolveRequest,
  resolveResponse,
} from '../../../shared/contract/resolve.ts';
import { health, openapiDocument } from '../../../shared/contract/system.ts';
import {
  describeFields,
  environmentRows,
  identifierRows,
  integerRows,
  lineRows,
  nameRows,
  noIdentifiers,
  noText,
  orNone,
  pageFields,
  queryNumberRows,
  selectorFields,
  timestampRows,
  wordRows,
} from './fields.ts';

const optionalIdentifier = orNone(identifierRows, undefined);
const optionalTime = orNone(timestampRows, undefined);
const idRows = {
  accepts: ['0123456789ABCDef'],
  refuses: [
    ...noText.required,
    '',
    '0123456789ABCDe',
    '0123456789ABCDefg',
    '0123456789ABCDe-',
    '0123456789ABCDe\n',
    'fmk_0123456789AB',
  ],
};

describeFields('selector', selector, {}, selectorFields);
describeFields('apiKeyPath', apiKeyPath, { id: '0123456789ABCDef' }, { id: idRows });
describeFields('listApiKeysQuery', listApiKeysQuery, {}, pageFields);
describeFields(
  'createApiKeyRequest',
  createApiKeyRequest,
  { name: 'a', role: 'runtime' },
  {
    name: { ...lineRows(128, false), refuses: [...lineRows(128, false).refuses, ''] },
    role: {
      ...wordRows('admin', 'editor', 'viewer', 'runtime'),
      refuses: [undefined, null, 'owner', 'ADMIN', ['admin']],
    },
    subject: optionalIdentifier,
    pipelines: {
      accepts: [undefined, ['p'], Array.from({ length: 100 }, (_, index) => `p${index}`)],
      refuses: [null, 'p', {}, [], [''], ['a b'], ['p', 1], [null], Array.from({ length: 101 }, () => 'p')],
    },
    environments: {
      accepts: [undefined, ['staging'], Array.from({ length: 20 }, (_, index) => `e${index}`)],
      refuses: [
        null,
        'staging',
        {},
        [],
        [''],
        ['Staging'],
        ['none'],
        [1],
        Array.from({ length: 21 }, () => 'e'),
      ],
    },
    expires_at: optionalTime,
  },
);
describeFields(
  'startRunRequest',
  startRunRequest,
  { pipeline_id: 'p', environment: 'staging' },
  {
    pipeline_id: { accepts: identifierRows.accepts, refuses: [undefined, ...identifierRows.refuses] },
    environment: { accepts: environmentRows.accepts, refuses: [undefined, ...environmentRows.refuses] },
    user: optionalIdentifier,
    run_id: optionalIdentifier,
    ttl_seconds: orNone(integerRows(1, 86_400), undefined),
  },
);
describeFields('runPath', runPath, { run_id: 'r' }, { run_id: identifierRows });
describeFields(
  'listRunsQuery',
  listRunsQuery,
  { secret_name: 'a' },
  {
    secret_name: nameRows,
    version: queryNumberRows(1, Number.MAX_SAFE_INTEGER),
    ...pageFields,
  },
);
describeFields(
  'updateOrganizationRequest',
  updateOrganizationRequest,
  {},
  {
    audit_retention_days: { accepts: [undefined, null, 30, 3650], refuses: [29, 3651, 0, '30', 30.5] },
    record_reads: { accepts: [undefined, true, false], refuses: [null, 'true', '', 0, 1, [], {}] },
    rotation_policies: {
      accepts: [
        undefined,
        [],
        [{ metadata: {}, rotation_days: 1 }],
        Array(50).fill({ metadata: { provider: 'openai', tier: 1, paid: true }, rotation_days: 3650 }),
      ],
      refuses: [
        ...[null, '', {}, 'openai=60', [null], [{ rotation_days: 1 }], [{ metadata: {} }]],
        [{ metadata: {}, rotation_days: 0 }],
        [{ metadata: {}, rotation_days: 3651 }],
        [{ metadata: {}, rotation_days: 1.5 }],
        [{ metadata: { 'a b': 'c' }, rotation_days: 1 }],
        [{ metadata: { a: null }, rotation_days: 1 }],
        [{ metadata: { a: 'x'.repeat(257) }, rotation_days: 1 }],
        [{ metadata: Object.fromEntries([...'abcdefghijk'].map((a) => [a, 1])), rotation_days: 1 }],
        [{ metadata: {}, rotation_days: 1, owner: 'ada' }],
        Array(51).fill({ metadata: {}, rotation_days: 1 }),
      ],
    },
  },
);
describeFields(
  'auditQuery',
  auditQuery,
  {},
  {
    secret_name: orNone(nameRows, undefined),
    days: queryNumberRows(1, 3650),
    from: optionalTime,
    to: optionalTime,
    action: orNone(wordRows(...auditAction.options), undefined),
    outcome: orNone(wordRows(...auditOutcome.options), undefined),
    pipeline_id: optionalIdentifier,
    run_id: optionalIdentifier,
    user: optionalIdentifier,
    after: { accepts: [undefined, 'end', '0', '17', 17], refuses: ['', 'start', '-1', '1.5', null, {}] },
    ...pageFields,
  },
);
describeFields(
  'resolveRequest',
  resolveRequest,
  { config: {} },
  {
    config: { accepts: [null, '', 'text', 0, false, [], {}, { a: [{}] }], refuses: [undefined] },
    environment: orNone(environmentRows, undefined),
    pipeline_id: optionalIdentifier,
    user: optionalIdentifier,
    run_id: optionalIdentifier,
  },
);

describe('defaults', () => {
  test('a run lives an hour, and a page has a hundred items', () => {
    expect(startRunRequest.parse({ pipeline_id: 'p', environment: 'staging' }).ttl_seconds).toBe(3600);
    expect(listApiKeysQuery.parse({})).toEqual({ limit: 100 });
    expect(listRunsQuery.parse({ secret_name: 'a', version: '3', limit: '1000' })).toMatchObject({
      version: 3,
      limit: 1000,
    });
    expect(auditQuery.parse({ days: '7' })).toEqual({ days: 7, limit: 100 });
  });
});

describe('a config', () => {
  test('is handed on as it is, however deep, and not walked', () => {
    let config: unknown = 'x';
    for (let level = 0; level < 100_000; level += 1) config = [config];
    expect(resolveRequest.parse({ config }).config).toBe(config);
    expect(resolveInvocation.parse({ run_token: 't', config }).config).toBe(config);
  });
});

describe('an invocation', () => {
  const run = { org: 'acme', environment: 'staging', config: {} };
  test.each([
    ['a run token', { run_token: 't', config: {} }, { run_token: 't', config: {} }],
    ['the run itself', run, run],
    [
      'the run with all its parts',
      { ...run, pipeline_id: 'p', user: 'u', run_id: 'r' },
      { ...run, pipeline_id: 'p', user: 'u', run_id: 'r' },
    ],
    ['nulls for what is absent', { ...run, pipeline_id: null, user: null, run_id: null }, run],
  ])('takes %s', (_what, input, parsed) => {
    expect(resolveInvocation.parse(input)).toEqual(parsed);
  });

  test.each([
    ['both forms at once', { ...run, run_token: 't' }],
    ['neither form', { config: {} }],
    ['a token without a config', { run_token: 't' }],
    ['a token with a run', { run_token: 't', run_id: 'r', config: {} }],
    ['a token that is too long', { run_token: 't'.repeat(4097), config: {} }],
    ['a run without an organization', { environment: 'staging', config: {} }],
    ['a run without an environment', { org: 'acme', config: {} }],
    ['a run without a config', { org: 'acme', environment: 'staging' }],
    ['an environment that is null', { ...run, environment: null }],
    ['what it does not name', { ...run, role: 'admin' }],
    ['nothing', null],
  ])('refuses %s', (_what, input) => {
    expect(resolveInvocation.safeParse(input).success).toBe(false);
  });
});

test('an organization’s id', () => {
  for (const id of ['default', '0', 'a-b-1', 'a'.repeat(63)])
    expect(organizationId.safeParse(id).success, id).toBe(true);
  for (const id of [...noText.required, ...noIdentifiers, 'Acme', 'a_b', 'a.b', 'a'.repeat(64)]) {
    expect(organizationId.safeParse(id).success, JSON.stringify(id)).toBe(false);
  }
});

describe('answers', () => {
  const time = '2026-01-31T12:00:00Z';
  const key = {
    ...{
      id: '0123456789ABCDef',
      name: 'n',
      role: 'viewer',
      subject: null,
      pipelines: null,
      environments: null,
    },
    ...{ created_at: time, created_by: 'c', expires_at: null, last_used_at: null, revoked_at: null },
  };
  const used = { name: 'a', version: 1, scope: 'org', environment: null };
  const run = { run_id: 'r', pipeline_id: null, environment: null, user: null };
  const times = { started_at: time, expires_at: null, ended_at: null };
  test.each([
    ['API key', apiKeyDescription, key],
    ['created API key', createdApiKey, { ...key, api_key: 'fmk_x' }],
    ['started run', startedRun, { run_id: 'r', run_token: 't', expires_at: time }],
    [
      'run',
      runDescription,
      { ...run, ...times, secrets: [{ ...used, first_used_at: time, last_used_at: time, resolves: 1 }] },
    ],
    ['use of a run', runUse, { ...run, versions: [1], last_used_at: time }],
    [
      'organization',
      organizationDescription,
      { id: 'o', created_at: time, record_reads: true, rotation_policies: [], audit_retention_days: null },
    ],
    ['audit entry', auditEntry, { timestamp: time, action: 'access', outcome: 'denied', sequence: 0 }],
    ['verification', auditVerification, { verified: true, events: 1, checkpoints: 0 }],
    [
      'broken verification',
      auditVerification,
      { verified: false, events: 1, checkpoints: 0, first_bad: { sequence: 0, reason: 'r' } },
    ],
    [
      'resolve',
      resolveResponse,
      { config: { a: 'v' }, secrets: [{ ...used, encoding: 'base64', references: ['a'] }] },
    ],
    ['check', checkResponse, { references: [{ name: 'a', paths: ['$'], found: false, code: 'not_found' }] }],
    ['health', health, { status: 'ok', version: '1', audit_lag: 0 }],
  ])('of a(n) %s lets out what it names and no more', (_what, schema, answer) => {
    const more = { ...answer, key_hash: 'h', value: 'v', constructor: 'c' };
    expect(schema.parse(more)).toEqual(answer);
  });

  test('the OpenAPI document passes as a whole', () => {
    expect(openapiDocument.parse({ openapi: '3.1.0', paths: {} })).toEqual({ openapi: '3.1.0', paths: {} });
  });
});
