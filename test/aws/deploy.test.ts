import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { deployedFunctions } from '../../infra/aws/deployment.ts';
import type { Grant } from '../../infra/aws/grants.ts';
import { eventually } from '../testkit/server.ts';
import { attemptsAt, listFunctions, Probes } from './deployed-roles.ts';
import {
  bootstrap,
  type Deployment,
  deploy,
  invoke,
  newOrganization,
  removeOutput,
  signed,
} from './deployment.ts';
import { createOverdue, subscribedQueue } from './reminded.ts';
import { peakMemory } from './worker-memory.ts';

const json = z.record(z.string(), z.unknown());
const rows = z.array(json);

describe('the deployment', () => {
  let deployed: Deployment;
  let [admin, runtime] = ['', ''];

  /** A request through the gateway and the authorizer. */
  const call = async (key: string | null, method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${deployed.api}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, text, json: () => json.parse(JSON.parse(text)) };
  };

  beforeAll(async () => {
    deployed = await deploy();
    const first = await bootstrap('acme');
    expect([first.code, first.stderr]).toEqual([0, '']);
    admin = String(json.parse(JSON.parse(first.stdout))['api_key']);
    const key = { name: 'orchestrator', role: 'runtime' };
    const made = await call(admin, 'POST', '/api/v1/api-keys', key);
    runtime = String(made.json()['api_key']);
  }, 900_000);
  afterAll(removeOutput);

  describe('answers', () => {
    it('health to anybody, and problems to who proves nothing', async () => {
      expect((await call(null, 'GET', '/health')).json()).toMatchObject({ status: 'ok' });
      expect((await call(null, 'GET', '/openapi.json')).json()).toMatchObject({ openapi: '3.1.0' });
      for (const key of [null, 'fmk_none']) {
        const refused = await call(key, 'GET', '/api/v1/secrets');
        expect(refused.status).toBe(401);
        expect(refused.json()).toMatchObject({ code: 'unauthenticated' });
      }
    });

    it('a second bootstrap of the same organization with a refusal', async () => {
      const again = await bootstrap('acme');
      expect([again.code, again.stdout]).toEqual([5, '']);
    });

    it('the story of a secret, from its creation to its audit', async () => {
      const secret = { name: 'openai_api_key', value: 'sk-first', environment: 'production' };
      expect((await call(admin, 'POST', '/api/v1/secrets', secret)).status).toBe(201);
      const config = { key: 'Bearer {{secrets.openai_api_key}}' };
      const asked = { config, environment: 'production', pipeline_id: 'p1', run_id: 'run-1' };
      const resolved = await call(runtime, 'POST', '/api/v1/resolve', asked);
      expect(resolved.json()).toMatchObject({ config: { key: 'Bearer sk-first' } });
      const path = '/api/v1/secrets/openai_api_key/rotate?environment=production';
      expect((await call(admin, 'POST', path, { new_value: 'sk-second' })).json()).toMatchObject({
        version: 2,
      });
      const again = await call(runtime, 'POST', '/api/v1/resolve', asked);
      expect(again.json()).toMatchObject({ config: { key: 'Bearer sk-second' } });
      expect((await call(admin, 'POST', '/api/v1/resolve', asked)).status).toBe(403);
      const history = await call(
        admin,
        'GET',
        '/api/v1/secrets/openai_api_key/history?environment=production',
      );
      expect(rows.parse(JSON.parse(history.text))).toHaveLength(2);
    });

    it('a run’s token, until the run ends', async () => {
      const run = await call(runtime, 'POST', '/api/v1/runs', {
        pipeline_id: 'p1',
        environment: 'production',
      });
      const { run_id, run_token } = run.json();
      const config = { key: '{{secrets.openai_api_key}}' };
      const used = await call(String(run_token), 'POST', '/api/v1/resolve', { config });
      expect(used.json()).toMatchObject({ config: { key: 'sk-second' } });
      expect(await invoke(deployed.resolveFunction, { run_token, config })).toMatchObject({
        config: { key: 'sk-second' },
      });
      expect((await call(runtime, 'DELETE', `/api/v1/runs/${run_id}`)).status).toBe(204);
      expect(await invoke(deployed.resolveFunction, { run_token, config })).toMatchObject({ status: 401 });
      expect((await call(String(run_token), 'POST', '/api/v1/resolve', { config })).status).toBe(401);
    });

    it('the orchestrator, by its alias alone', async () => {
      const place = {
        org: 'acme',
        environment: 'production',
        pipeline_id: 'p1',
        user: null,
        run_id: 'run-2',
      };
      const asked = { ...place, config: { key: '{{secrets.openai_api_key}}' } };
      expect(await invoke(deployed.orchestratorAlias, asked)).toMatchObject({ config: { key: 'sk-second' } });
      expect(await invoke(deployed.resolveFunction, asked)).toMatchObject({ status: 403 });
    });

    it('who signs a request to the resolve function’s URL, and nobody else', async () => {
      const run = await call(runtime, 'POST', '/api/v1/runs', {
        pipeline_id: 'p1',
        environment: 'production',
      });
      const { run_token } = run.json();
      const body = JSON.stringify({ run_token, config: { key: '{{secrets.openai_api_key}}' } });
      expect((await fetch(deployed.resolveUrl, { method: 'POST', body })).status).toBe(403);
      const answer = await signed('lambda', deployed.resolveUrl, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(await answer.json()).toMatchObject({ config: { key: 'sk-second' } });
    });

    it('what happened, from the log that the stream feeds, and that it is whole', async () => {
      const actions = async () => {
        const log = await call(admin, 'GET', '/api/v1/secrets/audit?secret_name=openai_api_key');
        return rows.parse(JSON.parse(log.text)).map(({ action }) => action);
      };
      let seen = await actions();
      for (let tries = 0; tries < 100 && seen.filter((action) => action === 'access').length < 6; tries++) {
        await sleep(200);
        seen = await actions();
      }
      expect(seen.filter((action) => action === 'access')).toHaveLength(6);
      expect(seen).toEqual(expect.arrayContaining(['create', 'rotate']));
      const verified = await call(admin, 'GET', '/api/v1/secrets/audit/verify');
      expect(verified.json()).toMatchObject({ verified: true });
    });

    it('an owner’s queue with what is to be rotated, by the reminders’ topic', async () => {
      const queue = await subscribedQueue(deployed.outputs('reminders')['ReminderTopic'] ?? '', 'acme');
      await createOverdue(deployed.services, admin, 'due_key');
      await invoke((await listFunctions()).get('remind-rotation')?.function ?? '', {});
      const message = await eventually(queue.receive);
      expect(message).toContain('due_key');
      expect(message).not.toContain('canary');
    });

    it('nothing of one organization to another', async () => {
      const other = await newOrganization(deployed.services, 'other');
      expect(rows.parse(JSON.parse((await call(other, 'GET', '/api/v1/secrets')).text))).toEqual([]);
      const path = '/api/v1/secrets/openai_api_key?environment=production';
      expect((await call(other, 'GET', path)).status).toBe(404);
    });
  });

  describe('lets a function that was taken over', () => {
    const needs: Readonly<Record<string, readonly Grant[]>> = {
      'kms:Decrypt': ['decrypt'],
      'kms:GenerateDataKey': ['generate-data-key'],
      'kms:Encrypt, recovery': ['generate-data-key'],
      'kms:Sign': ['sign'],
      'kms:GetPublicKey': ['public-key'],
      'kms:GenerateMac': ['fingerprint'],
      'dynamodb:GetItem': ['read'],
      'dynamodb:DeleteItem': ['write'],
      's3:GetObject': ['read-checkpoints'],
      's3:PutObject': ['write-checkpoints'],
      'sns:Publish': ['notify'],
    };

    /** The roles of those that have the same grants are alike: test/aws/iam.test.ts reads every one. */
    const oneOfEachKind = new Map(
      [...deployedFunctions].map(([entry, grants]) => [[...grants].sort().join(), [entry, grants] as const]),
    ).values();

    it('do with its role what its grants say, and nothing else', async () => {
      using probes = new Probes();
      await probes.prepare();
      const functions = await listFunctions();
      const attempts = attemptsAt(deployed.outputs);
      for (const [entry, grants] of oneOfEachKind) {
        const name = entry.replace('api/', '');
        const expected = [...attempts.keys()].filter((attempt) =>
          needs[attempt]?.some((grant) => grants.includes(grant)),
        );
        expect(await probes.allowed(name, functions.get(name)?.role ?? '', attempts), name).toEqual(expected);
      }
    }, 600_000);
  });

  it.runIf(process.platform === 'linux')(
    'needs less than half of the memory that it has, also for the largest config',
    async () => {
      const value = 'x'.repeat(60_000);
      const names = Array.from({ length: 80 }, (_, index) => `large_${index}`);
      for (const name of names)
        expect((await call(admin, 'POST', '/api/v1/secrets', { name, value })).status).toBe(201);
      const config = Object.fromEntries(names.map((name) => [name, `{{secrets.${name}}}`]));
      for (let times = 0; times < 5; times++) {
        const answer = await call(runtime, 'POST', '/api/v1/resolve', { config, environment: 'production' });
        expect([answer.status, answer.text.length > 4_800_000]).toEqual([200, true]);
      }
      const peaks = [...peakMemory()].sort(([, one], [, other]) => other - one);
      process.stdout.write(`peak memory, MB: ${peaks.map(([name, peak]) => `${name} ${peak}`).join(', ')}\n`);
      expect(peaks.map(([name]) => name)).toContain('resolve-config');
      expect(peaks.filter(([, peak]) => peak > 512)).toEqual([]);
    },
    300_000,
  );

  it('has the minute’s checkpoint, which its schedule makes', async () => {
    const checkpoints = async () => {
      const verified = await call(admin, 'GET', '/api/v1/secrets/audit/verify');
      return Number(verified.json()['checkpoints'] ?? 0) > 0;
    };
    expect(await eventually(checkpoints, 300)).toBe(true);
  }, 310_000);
});
