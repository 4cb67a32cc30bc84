import { expect, it } from 'vitest';
import { type ApiKeyRecord, type ApiKeyState, generateApiKey } from '../../../shared/access/api-key.ts';
import {
  authenticate,
  type RefusedCredential,
  unauthenticated,
} from '../../../shared/access/authenticate.ts';
import { encodeRunToken, type RunRecord, runTokenMessage } from '../../../shared/access/run-token.ts';
import { makeApiKey } from '../../../shared/callers/create-api-key.ts';
import { createApiKeyRequest } from '../../../shared/contract/access.ts';
import { environmentName, organizationId, pipelineId, runId } from '../../../shared/contract/ids.ts';
import { SignatureVerifier } from '../../../shared/envelope/signature.ts';
import { codeOfRejection } from '../../testkit/failure.ts';
import { throwawayKeyring } from '../../testkit/key-service.ts';

// Why a known credential is refused is told to the log, and to nobody who asks.

const keyring = throwawayKeyring();
const signatures = new SignatureVerifier(keyring);
const org = organizationId.parse('acme');
const noon = new Date('2026-01-31T12:00:00.000Z');
const later = '2026-01-31T13:00:00.000Z';
const request = createApiKeyRequest.parse({ name: 'ci', role: 'runtime', expires_at: later });
const { record, key } = await makeApiKey({ keyService: keyring }, org, request, 'ada', noon);
const kept: ApiKeyRecord & ApiKeyState = { ...record, last_used_at: null, revoked_at: null };
const run: RunRecord = {
  ...{ org, run_id: runId.parse('r1'), pipeline_id: pipelineId.parse('p1'), user: null, token_id: 't1' },
  ...{ environment: environmentName.parse('staging'), key_id: record.id },
  ...{ started_at: noon.toISOString(), expires_at: later, ended_at: null },
};
const message = runTokenMessage({
  ...{ aud: 'flowmason-secrets', id: 't1', org, run_id: run.run_id, pipeline_id: run.pipeline_id },
  ...{ environment: run.environment, user: null, key_id: record.id, exp: Date.parse(later) / 1000 },
} as Parameters<typeof runTokenMessage>[0]);
const token = encodeRunToken(message, await keyring.sign('run-token', message));

/** What the log is told of a credential, with rows as they are given. */
async function refusal(
  bearer: string,
  rows: { key?: typeof kept | null; run?: RunRecord | null },
  at = noon,
) {
  const told: RefusedCredential[] = [];
  const callers = {
    findApiKey: async () => (rows.key === undefined ? kept : rows.key),
    findRun: async () => (rows.run === undefined ? run : rows.run),
    noteApiKeyUse: async () => undefined,
  };
  const needs = { callers, signatures, now: () => at, onRefused: (one: RefusedCredential) => told.push(one) };
  const code = await codeOfRejection(authenticate(needs, bearer));
  expect(code).toBe('unauthenticated');
  return told;
}

const ofKey = { org, key_id: record.id };
const ofRun = { ...ofKey, run_id: run.run_id };
const other = generateApiKey();

it('takes both as they are', async () => {
  const callers = {
    findApiKey: async () => kept,
    findRun: async () => run,
    noteApiKeyUse: async () => undefined,
  };
  for (const bearer of [key, token])
    expect(await authenticate({ callers, signatures, now: () => noon }, bearer)).toMatchObject({ org });
});

it.each([
  [key, { key: { ...kept, key_hash: 'another' } }, { ...ofKey, reason: 'The key is not the one of this id' }],
  [key, { key: { ...kept, revoked_at: later } }, { ...ofKey, reason: 'The key is revoked' }],
  [
    key,
    { key: { ...kept, role: 'admin' as const } },
    { ...ofKey, reason: 'The record of the key was changed' },
  ],
  [token, { run: null }, { ...ofRun, reason: 'The run has ended' }],
  [token, { run: { ...run, ended_at: later } }, { ...ofRun, reason: 'The run has ended' }],
  [token, { run: { ...run, token_id: 't2' } }, { ...ofRun, reason: 'The run has ended' }],
  [token, { key: null }, { ...ofRun, reason: 'The key that started the run is gone' }],
  [
    token,
    { key: { ...kept, org: organizationId.parse('rival') } },
    { ...ofRun, reason: 'The key that started the run is gone' },
  ],
  [token, { key: { ...kept, revoked_at: later } }, { ...ofRun, reason: 'The key is revoked' }],
])('says why: %#', async (bearer, rows, told) => {
  expect(await refusal(bearer, rows)).toEqual([told]);
});

it('says that its time is over', async () => {
  const over = new Date(later);
  expect(await refusal(key, {}, over)).toEqual([{ ...ofKey, reason: 'The key has expired' }]);
  expect(await refusal(token, {}, over)).toEqual([{ ...ofRun, reason: 'The run token has expired' }]);
});

it('says nothing of what belongs to nobody', async () => {
  expect(await refusal(other.key, { key: null })).toEqual([]);
  expect(await refusal('nonsense', {})).toEqual([]);
  expect(await refusal(`${token}x`, {})).toEqual([]);
});

it('tells who asks what to send, and no reason', () => {
  expect(unauthenticated().message).toMatch(/^Send "Authorization: Bearer .*ended\.$/);
});
