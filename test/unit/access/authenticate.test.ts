import { beforeEach, describe, expect, it } from 'vitest';
import { type ApiKeyRecord, type ApiKeyState, generateApiKey } from '../../../shared/access/api-key.ts';
import { authenticate } from '../../../shared/access/authenticate.ts';
import { encodeRunToken, type RunRecord, runTokenMessage } from '../../../shared/access/run-token.ts';
import { makeApiKey } from '../../../shared/callers/create-api-key.ts';
import { createApiKeyRequest } from '../../../shared/contract/access.ts';
import {
  apiKeyId,
  environmentName,
  organizationId,
  pipelineId,
  runId,
  userId,
} from '../../../shared/contract/ids.ts';
import type { SigningPurpose } from '../../../shared/envelope/key-service.ts';
import { SignatureVerifier } from '../../../shared/envelope/signature.ts';
import { codeOfRejection } from '../../testkit/failure.ts';
import { throwawayKeyring } from '../../testkit/key-service.ts';

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const keyring = throwawayKeyring();
const acme = organizationId.parse('acme');
const noon = Date.parse('2026-01-31T12:00:00.000Z');

type Key = ApiKeyRecord & ApiKeyState;

/** A store whose rows anybody can rewrite. */
class Rows {
  readonly keys = new Map<string, Key>();
  readonly runs = new Map<string, RunRecord>();
  readonly notes: { id: string; at: string }[] = [];
  noting: () => Promise<void> = async () => undefined;

  async findApiKey(id: string): Promise<Key | null> {
    return this.keys.get(id) ?? null;
  }
  async findRun(org: string, id: string): Promise<RunRecord | null> {
    return this.runs.get(`${org} ${id}`) ?? null;
  }
  async noteApiKeyUse(id: string, at: string): Promise<void> {
    await this.noting();
    this.notes.push({ id, at });
  }
}

let rows: Rows;
let time: number;
let signatures: SignatureVerifier;
const now = () => new Date(time);
const ask = (bearer: string) => authenticate({ callers: rows, signatures, now }, bearer);
const refused = (bearer: string) => codeOfRejection(ask(bearer));

beforeEach(() => {
  rows = new Rows();
  time = noon;
  signatures = new SignatureVerifier(keyring);
});

async function addKey(fields: object = {}): Promise<{ key: string; record: Key }> {
  const request = createApiKeyRequest.parse({ name: 'ci', role: 'runtime', ...fields });
  const { record, key } = await makeApiKey({ keyService: keyring }, acme, request, 'ada', now());
  const stored = { ...record, last_used_at: null, revoked_at: null };
  rows.keys.set(record.id, stored);
  return { key, record: stored };
}

describe('an API key', () => {
  it('stands for what its signed record says', async () => {
    const bounds = { pipelines: ['p1'], environments: ['staging'], subject: 'ci@example.com' };
    const { key, record } = await addKey(bounds);
    expect(await ask(key)).toEqual({
      kind: 'api-key',
      org: acme,
      key_id: record.id,
      role: 'runtime',
      ...bounds,
    });
  });

  it('goes by its name in records when it has no subject', async () => {
    const { key } = await addKey();
    expect(await ask(key)).toMatchObject({ subject: 'ci', pipelines: null, environments: null });
  });

  it('is refused when it is unknown', async () => {
    expect(await refused(generateApiKey().key)).toBe('unauthenticated');
  });

  it('is refused when its row holds the hash of another key', async () => {
    const { key, record } = await addKey();
    const { record: other } = await addKey();
    rows.keys.set(record.id, other);
    expect(await refused(key)).toBe('unauthenticated');
  });

  const changes: { readonly [Field in keyof ApiKeyRecord]: unknown } = {
    id: apiKeyId.parse('Key0000000000002'),
    org: 'rival',
    name: 'another',
    role: 'admin',
    subject: 'eve@example.com',
    pipelines: ['p2'],
    environments: null,
    created_at: '2026-01-31T12:00:00.001Z',
    created_by: 'eve',
    expires_at: null,
    key_hash: '',
    signature: 'AAAA',
  };
  it.each(Object.entries(changes))('is refused when %s of its row was changed', async (field, value) => {
    const { key, record } = await addKey({
      environments: ['staging'],
      expires_at: '2027-01-01T00:00:00Z',
    });
    rows.keys.set(record.id, { ...record, [field]: value });
    expect(await refused(key)).toBe('unauthenticated');
    rows.keys.set(record.id, record);
    expect(await refused(key)).toBe('nothing was thrown');
  });

  it('is refused when its row was signed for another purpose', async () => {
    const { key, record } = await addKey();
    const { signature: _signature, last_used_at: _used, revoked_at: _revoked, ...unsigned } = record;
    const message = Buffer.from(JSON.stringify(Object.values(unsigned)));
    const signature = Buffer.from(await keyring.sign('checkpoint', message)).toString('base64');
    rows.keys.set(record.id, { ...record, signature });
    expect(await refused(key)).toBe('unauthenticated');
  });

  it('is refused from the moment when it was revoked or expired', async () => {
    const { key, record } = await addKey({ expires_at: '2026-01-31T13:00:00Z' });
    time = noon + 3_600_000 - 1;
    expect(await refused(key)).toBe('nothing was thrown');
    time += 1;
    expect(await refused(key)).toBe('unauthenticated');
    time = noon;
    rows.keys.set(record.id, { ...record, revoked_at: '2026-01-31T11:59:59.999Z' });
    expect(await refused(key)).toBe('unauthenticated');
  });

  it('is refused by one text, whatever the reason', async () => {
    const { key, record } = await addKey();
    rows.keys.set(record.id, { ...record, revoked_at: '2026-01-31T11:00:00Z' });
    const texts = await Promise.all(
      [key, generateApiKey().key, 'fmk_mistyped', 'fmr_mistyped', ''].map((bearer) =>
        ask(bearer).then(String, (error: Error) => error.message),
      ),
    );
    expect(new Set(texts).size).toBe(1);
  });

  it('notes a use, and the next one when the note is more than a minute old', async () => {
    const { key, record } = await addKey();
    await ask(key);
    rows.keys.set(record.id, { ...record, last_used_at: now().toISOString() });
    for (const wait of [60_000, 1]) {
      time += wait;
      await ask(key);
    }
    expect(rows.notes.map(({ at }) => Date.parse(at) - noon)).toEqual([0, 60_001]);
  });

  it('is no less itself when the use cannot be noted', async () => {
    const { key } = await addKey();
    rows.noting = async () => {
      throw new TypeError('the store is read-only');
    };
    expect(await refused(key)).toBe('nothing was thrown');
    expect(rows.notes).toEqual([]);
  });
});

describe('a run token', () => {
  const claims = {
    aud: 'flowmason-secrets' as const,
    id: 'token-1',
    org: acme,
    run_id: runId.parse('run-1'),
    pipeline_id: pipelineId.parse('p1'),
    environment: environmentName.parse('staging'),
    user: userId.parse('ada'),
    exp: noon / 1000 + 3600,
  };

  async function signed(content: object, purpose: SigningPurpose = 'run-token'): Promise<string> {
    const message = Buffer.from(JSON.stringify(content));
    return encodeRunToken(message, await keyring.sign(purpose, message));
  }

  async function addRun(changes: Partial<RunRecord> = {}) {
    const { record } = await addKey();
    const content = { ...claims, key_id: record.id };
    const { aud: _aud, id, exp: _exp, ...place } = content;
    const run: RunRecord = {
      ...place,
      token_id: id,
      started_at: now().toISOString(),
      expires_at: new Date(claims.exp * 1000).toISOString(),
      ended_at: null,
      ...changes,
    };
    rows.runs.set(`${run.org} ${run.run_id}`, run);
    return { content, key: record, token: await signed(content) };
  }

  it('stands for its run', async () => {
    const { token, key } = await addRun();
    const { aud: _aud, id: _id, exp: _exp, ...place } = claims;
    expect(await ask(token)).toEqual({ kind: 'run', ...place, key_id: key.id });
  });

  it('is made of what is signed', async () => {
    const { content } = await addRun();
    expect(JSON.parse(runTokenMessage(content).toString())).toEqual(content);
  });

  it.each([70, 71, 72])(
    'is refused when any character of it was changed, with a signature of %i bytes',
    async (length) => {
      // Base64 leaves bits over behind 70 and 71 bytes, so that two texts may stand for the same bytes.
      const token = await tokenOf(length);
      const lastOfPart = [token.indexOf('.') - 1, token.length - 1];
      const accepted: string[] = [];
      for (let place = 0; place < token.length; place++) {
        for (const other of lastOfPart.includes(place) ? BASE64URL : 'AQgw8_-.') {
          if (other === token[place]) continue;
          const changed = token.slice(0, place) + other + token.slice(place + 1);
          if ((await refused(changed)) !== 'unauthenticated') accepted.push(`${other} at ${place}`);
        }
      }
      expect(accepted).toEqual([]);
    },
  );

  /** A token whose signature has so many bytes: ECDSA's vary. */
  async function tokenOf(length: number): Promise<string> {
    for (;;) {
      const { token } = await addRun();
      if (Buffer.from(token.split('.')[1] ?? '', 'base64url').length === length) return token;
    }
  }

  it('is refused when it was cut short or made longer', async () => {
    const { token } = await addRun();
    const changed = [
      token.slice(0, -1),
      token.slice(1),
      `${token}A`,
      `${token}=`,
      `${token}.AA`,
      'fmr_',
      'fmr_.',
    ];
    for (const bearer of changed) expect(await refused(bearer)).toBe('unauthenticated');
  });

  const others = {
    aud: ['somebody-else', undefined],
    id: ['token-2', undefined],
    org: ['rival', undefined],
    run_id: ['run-2', undefined],
    exp: [String(claims.exp), claims.exp + 0.5, undefined],
    user: [undefined],
    key_id: ['Key0000000000009', undefined],
    alg: ['none'],
  };
  it.each(Object.entries(others).flatMap(([claim, values]) => values.map((value) => ({ claim, value }))))(
    'is refused when it was signed with $claim $value',
    async ({ claim, value }) => {
      const { content } = await addRun();
      expect(await refused(await signed({ ...content, [claim]: value }))).toBe('unauthenticated');
    },
  );

  it.each(['api-key', 'checkpoint'] as const)('is refused when it was signed as %s', async (purpose) => {
    const { content } = await addRun();
    expect(await refused(await signed(content, purpose))).toBe('unauthenticated');
  });

  it('is refused when what was signed is no JSON', async () => {
    const message = Buffer.from('{');
    const token = encodeRunToken(message, await keyring.sign('run-token', message));
    expect(await refused(token)).toBe('unauthenticated');
  });

  it('is refused from the second in which it expires', async () => {
    const { token } = await addRun();
    time = claims.exp * 1000 - 1;
    expect(await refused(token)).toBe('nothing was thrown');
    time += 1;
    expect(await refused(token)).toBe('unauthenticated');
  });

  it.each([
    { what: 'ended', run: { ended_at: '2026-01-31T12:00:00.000Z' } },
    { what: 'has another token', run: { token_id: 'token-2' } },
    { what: 'is of another organization', run: { org: organizationId.parse('rival') } },
  ])('is refused when its run $what', async ({ run }) => {
    const { token } = await addRun(run);
    expect(await refused(token)).toBe('unauthenticated');
  });

  it('is refused when there is no such run', async () => {
    const { token } = await addRun();
    rows.runs.clear();
    expect(await refused(token)).toBe('unauthenticated');
  });

  it.each([
    { what: 'was revoked', change: { revoked_at: '2026-01-31T12:00:00.000Z' } },
    { what: 'expired', change: { expires_at: '2026-01-31T12:00:00.000Z' } },
    { what: 'is of another organization', change: { org: organizationId.parse('rival') } },
    { what: 'was changed in the store', change: { role: 'admin' as const } },
  ])('is refused when the key that started the run $what', async ({ change }) => {
    const { token, key } = await addRun();
    rows.keys.set(key.id, { ...key, ...change });
    expect(await refused(token)).toBe('unauthenticated');
  });

  it('is refused when the key that started the run is gone', async () => {
    const { token } = await addRun();
    rows.keys.clear();
    expect(await refused(token)).toBe('unauthenticated');
  });
});
