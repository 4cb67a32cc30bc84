import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  createApiKeyRequest,
  startRunRequest,
  updateOrganizationRequest,
} from '../../../shared/contract/access.ts';
import { auditQuery } from '../../../shared/contract/audit.ts';
import { selector } from '../../../shared/contract/coordinates.ts';
import { resolveInvocation, resolveRequest } from '../../../shared/contract/resolve.ts';
import {
  createSecretRequest,
  deleteSecretQuery,
  listSecretsQuery,
  putSecretRequest,
  rollbackSecretRequest,
  rotateSecretRequest,
  updateSecretRequest,
} from '../../../shared/contract/secrets.ts';

// Which of zod's issues can repeat input. The edge leaves exactly these out; a new version of zod that quotes
// more fails here first.

const CANARY = 'canary8c1f';
const quoting: readonly unknown[] = [
  ...[CANARY, `${CANARY} ${CANARY}\n`, `{{secrets.${CANARY}`, [CANARY], [[CANARY]], { [CANARY]: CANARY }],
  { [CANARY]: { [CANARY]: [CANARY] } },
  CANARY.repeat(1000),
  [{ [CANARY]: CANARY }],
];
const schemas: readonly z.ZodObject[] = [
  ...[createSecretRequest, putSecretRequest, updateSecretRequest, rotateSecretRequest, rollbackSecretRequest],
  ...[listSecretsQuery, deleteSecretQuery, selector, auditQuery],
  ...[createApiKeyRequest, startRunRequest, updateOrganizationRequest, resolveRequest],
];

test('no message repeats the value of a field, and no issue keeps it', () => {
  let refused = 0;
  for (const schema of schemas) {
    for (const field of Object.keys(schema.shape)) {
      for (const value of quoting) {
        const issues = schema.safeParse({ [field]: value }).error?.issues ?? [];
        refused += issues.length;
        const told = issues
          // Of strict objects, also within a field: see below.
          .filter(({ code }) => code !== 'unrecognized_keys')
          .map(({ path, ...issue }) => ({ ...issue, path: path[0] }));
        expect(JSON.stringify(told)).not.toContain(CANARY);
      }
    }
  }
  expect(refused).toBeGreaterThan(500);
});

describe('what does repeat input', () => {
  test('the keys that a strict object does not know: in the message and in `keys`', () => {
    for (const schema of schemas) {
      const issues = schema.safeParse({ [CANARY]: 1 }).error?.issues ?? [];
      const quoted = issues.filter((issue) => JSON.stringify(issue).includes(CANARY));
      expect(quoted).toEqual([
        { code: 'unrecognized_keys', keys: [CANARY], path: [], message: `Unrecognized key: "${CANARY}"` },
      ]);
    }
  });

  test('the path below a record, whose keys are the user’s', () => {
    const { error } = updateSecretRequest.safeParse({ metadata: { [CANARY]: {} } });
    expect(error?.issues.map(({ path }) => path)).toEqual([['metadata', CANARY]]);
    expect(error?.issues.map(({ message }) => message).join()).not.toContain(CANARY);
  });

  test('the issues of each form of a union, which hold unknown keys again', () => {
    const { error } = resolveInvocation.safeParse({ [CANARY]: 1 });
    expect(error?.issues.map(({ code, message }) => [code, message])).toEqual([
      ['invalid_union', 'Invalid input'],
    ]);
    expect(JSON.stringify(error?.issues)).toContain(CANARY);
  });

  test('the text of the error as a whole, which is the issues as JSON', () => {
    expect(updateSecretRequest.safeParse({ [CANARY]: 1 }).error?.message).toContain(CANARY);
    expect(updateSecretRequest.safeParse({ metadata: { [CANARY]: {} } }).error?.message).toContain(CANARY);
    expect(updateSecretRequest.safeParse({ description: [CANARY] }).error?.message).not.toContain(CANARY);
  });

  test('a `constructor` of an object that has no prototype, taken for the name of its class', () => {
    const fromJson = JSON.parse(`{"constructor":{"name":"${CANARY}"}}`) as object;
    const without = Object.assign(Object.create(null), fromJson) as object;
    const told = (input: unknown) => z.string().safeParse(input).error?.issues[0]?.message;
    expect(told(fromJson)).toBe('Invalid input: expected string, received object');
    expect(told(without)).toBe(`Invalid input: expected string, received ${CANARY}`);
  });

  test('the input itself, when a parse asks for it', () => {
    const told = (settings: object) => z.number().safeParse(CANARY, settings).error?.issues[0];
    expect(told({})).not.toHaveProperty('input');
    expect(told({ reportInput: true })).toHaveProperty('input', CANARY);
  });
});
