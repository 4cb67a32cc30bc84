import { describe, expect, test } from 'vitest';
import {
  createSecretRequest,
  deleteSecretQuery,
  historyEntry,
  historyQuery,
  listSecretsQuery,
  namePath,
  putSecretRequest,
  rollbackSecretRequest,
  rotateSecretRequest,
  secretMetadata,
  updateSecretRequest,
} from '../../../shared/contract/secrets.ts';
import {
  describeFields,
  type FieldRows,
  identifierRows,
  integerRows,
  lineRows,
  nameRows,
  noText,
  orNone,
  pageFields,
  queryNumberRows,
  selectorFields,
  wordRows,
} from './fields.ts';

const valueRows: FieldRows = {
  accepts: ['v', ' ', '\0\r\n', '{{secrets.a}}', 'x'.repeat(100_000)],
  refuses: [...noText.required, ''],
};
const metadataRows: FieldRows = {
  accepts: [
    undefined,
    {},
    { owner: 'team-a', 'cost.center_1-x': 1.5, on: true, off: null },
    { ['k'.repeat(64)]: '' },
    { constructor: 'c', toString: 't' },
    { k: 'x'.repeat(4096 - '{"k":""}'.length) },
  ],
  refuses: [
    ...[null, 'text', 1, true, [], ['a']],
    ...[{ a: {} }, { a: [] }, { a: Number.NaN }, { a: Number.POSITIVE_INFINITY }],
    ...[{ '': 1 }, { '1a': 1 }, { 'a b': 1 }, { 'a\n': 1 }, { é: 1 }, { _a: 1 }, { ['k'.repeat(65)]: 1 }],
    { k: 'x'.repeat(4097 - '{"k":""}'.length) },
    { k: 'é'.repeat(2045) },
    Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, null])),
  ],
};
const reasonRows = orNone({ ...lineRows(512), refuses: [...lineRows(512).refuses, ''] }, undefined);
const versionRows = integerRows(1, Number.MAX_SAFE_INTEGER);
const secretFields = {
  value: valueRows,
  encoding: orNone(wordRows('utf8', 'base64'), undefined),
  description: orNone(lineRows(1024), undefined),
  scope: orNone(wordRows('org', 'pipeline', 'user'), undefined),
  pipeline_id: orNone(identifierRows, undefined),
  user: orNone(identifierRows, undefined),
  environment: selectorFields.environment,
  metadata: metadataRows,
  rotation_days: orNone(integerRows(1, 3650), undefined),
  isolation: orNone(wordRows('shared', 'dedicated'), undefined),
};

describeFields('namePath', namePath, { name: 'a' }, { name: nameRows });
describeFields(
  'createSecretRequest',
  createSecretRequest,
  { name: 'a', value: 'v' },
  { name: nameRows, ...secretFields },
);
describeFields(
  'putSecretRequest',
  putSecretRequest,
  { value: 'v' },
  {
    name: orNone(nameRows, undefined),
    ...secretFields,
    expected_version: orNone(versionRows, undefined),
    reason: reasonRows,
  },
);
describeFields(
  'updateSecretRequest',
  updateSecretRequest,
  {},
  {
    description: orNone(lineRows(1024), null, undefined),
    metadata: metadataRows,
    rotation_days: orNone(integerRows(1, 3650), null, undefined),
  },
);
describeFields(
  'rotateSecretRequest',
  rotateSecretRequest,
  { new_value: 'v' },
  {
    new_value: valueRows,
    encoding: orNone(wordRows('utf8', 'base64'), undefined),
    reason: reasonRows,
    expected_version: orNone(versionRows, undefined),
    stage: orNone(wordRows('current', 'pending'), undefined),
    keep_previous_for: {
      accepts: [undefined, '1s', '30m', '24h', '7d', '99999d'],
      refuses: [
        ...noText.optional,
        '',
        '0d',
        '07d',
        '7',
        'd',
        '7w',
        '7D',
        '1.5h',
        '-1d',
        '7 d',
        '7d\n',
        '100000s',
        'P7D',
      ],
    },
  },
);
describeFields(
  'rollbackSecretRequest',
  rollbackSecretRequest,
  { version: 1 },
  {
    version: versionRows,
    reason: reasonRows,
    expected_version: orNone(versionRows, undefined),
  },
);
describeFields(
  'listSecretsQuery',
  listSecretsQuery,
  {},
  {
    ...selectorFields,
    ...pageFields,
    prefix: {
      accepts: [undefined, 'a', 'audit', 'A-_9', 'a'.repeat(128)],
      refuses: [...noText.optional, '', '1', '_', 'a%', 'a*', 'a.b', 'a\n', 'é', 'a'.repeat(129)],
    },
    due_within_days: queryNumberRows(0, 3650),
    unread_days: queryNumberRows(1, 3650),
    never_read: orNone(wordRows('true', 'false'), undefined),
    deleted: orNone(wordRows('true', 'false'), undefined),
  },
);
describeFields('historyQuery', historyQuery, {}, { ...selectorFields, ...pageFields });
// An empty number must not be 0 here: that would delete for good.
describeFields(
  'deleteSecretQuery',
  deleteSecretQuery,
  {},
  { ...selectorFields, recovery_days: queryNumberRows(0, 30) },
);

describe('defaults', () => {
  test.each([
    ['create', createSecretRequest, { name: 'a', value: 'v' }, { encoding: 'utf8', scope: 'org' }],
    ['put', putSecretRequest, { value: 'v' }, { encoding: 'utf8', scope: 'org' }],
    ['rotate', rotateSecretRequest, { new_value: 'v' }, { encoding: 'utf8' }],
    ['list', listSecretsQuery, {}, { limit: 100, deleted: 'false', never_read: 'false' }],
    ['delete', deleteSecretQuery, {}, { recovery_days: 7 }],
    ['history', historyQuery, {}, { limit: 100 }],
    ['update', updateSecretRequest, {}, {}],
  ])('%s', (_what, schema, input, added) => {
    expect(schema.parse(input)).toEqual({ ...input, ...added });
  });

  test('numbers of a query come out as numbers', () => {
    expect(listSecretsQuery.parse({ limit: '010', due_within_days: '0' })).toMatchObject({
      limit: 10,
      due_within_days: 0,
    });
    expect(deleteSecretQuery.parse({ recovery_days: '0' })).toEqual({ recovery_days: 0 });
  });
});

describe('metadata', () => {
  test('a label named __proto__ is dropped and pollutes nothing; others that JavaScript knows are kept', () => {
    const text =
      '{"name":"a","value":"v","metadata":{"__proto__":{"polluted":1},"constructor":"c","hasOwnProperty":1}}';
    const { metadata } = createSecretRequest.parse(JSON.parse(text));
    expect(JSON.stringify(metadata)).toBe('{"constructor":"c","hasOwnProperty":1}');
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('answers', () => {
  const metadata = {
    ...{
      name: 'a',
      scope: 'org',
      pipeline_id: null,
      user: null,
      environment: null,
      description: null,
      metadata: {},
    },
    ...{
      version: 1,
      fingerprint: null,
      created_at: '2026-01-31T12:00:00Z',
      created_by: 'c',
      last_rotated: null,
      last_rotated_by: null,
    },
    ...{ rotation_days: null, next_rotation_at: null, last_accessed_at: null, deleted_at: null },
    ...{ state: 'settled', pending: null, previous: null },
  };
  const entry = {
    rotated_at: '2026-01-31T12:00:00Z',
    rotated_by: 'r',
    reason: 'r',
    version: 1,
    restored_version: null,
    current: true,
    stage: null,
  };
  /** What a record of before stages does not have. */
  const since = new Set(['state', 'pending', 'previous', 'stage']);

  test('let out only what they name', () => {
    const more = { value: 'v', sealed: 'v', salt: 'v', data_key: 'v' };
    // What older answers did not have comes out as what it was then.
    const settled = { previous: null, pending: null, state: 'settled', rotator: null, rotation: null };
    expect(secretMetadata.parse({ ...metadata, ...more })).toEqual({ ...metadata, ...settled });
    expect(historyEntry.parse({ ...entry, ...more })).toEqual({ ...entry, stage: null });
  });

  test('name every part: one that is missing is not left out', () => {
    for (const name of Object.keys(metadata)) {
      expect(secretMetadata.safeParse({ ...metadata, [name]: undefined }).success, name).toBe(
        since.has(name),
      );
    }
    for (const name of Object.keys(entry)) {
      expect(historyEntry.safeParse({ ...entry, [name]: undefined }).success, name).toBe(since.has(name));
    }
  });
});
