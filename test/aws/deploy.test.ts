import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { routes } from '../../functions/routes.ts';
import type { Grant } from '../../shared/contract/route.ts';
import {
  bootstrap,
  type Deployment,
  deploy,
  invoke,
  newOrganization,
  type Resource,
  removeOutput,
} from './deployment.ts';

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

    it('the minute’s checkpoint, which its schedule makes', async () => {
      let checkpoints: unknown = 0;
      for (let tries = 0; tries < 300 && checkpoints === 0; tries++) {
        await sleep(500);
        checkpoints = (await call(admin, 'GET', '/api/v1/secrets/audit/verify')).json()['checkpoints'];
      }
      expect(checkpoints).toBeGreaterThan(0);
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

    it('what happened, from the log that the stream feeds, and that it is whole', async () => {
      const actions = async () => {
        const log = await call(admin, 'GET', '/api/v1/secrets/audit?secret_name=openai_api_key');
        return rows.parse(JSON.parse(log.text)).map(({ action }) => action);
      };
      let seen = await actions();
      for (let tries = 0; tries < 100 && seen.filter((action) => action === 'access').length < 5; tries++) {
        await sleep(200);
        seen = await actions();
      }
      expect(seen.filter((action) => action === 'access')).toHaveLength(5);
      expect(seen).toEqual(expect.arrayContaining(['create', 'rotate']));
      const verified = await call(admin, 'GET', '/api/v1/secrets/audit/verify');
      expect(verified.json()).toMatchObject({ verified: true });
    });

    it('nothing of one organization to another', async () => {
      const other = await newOrganization(deployed.services, 'other');
      expect(rows.parse(JSON.parse((await call(other, 'GET', '/api/v1/secrets')).text))).toEqual([]);
      const path = '/api/v1/secrets/openai_api_key?environment=production';
      expect((await call(other, 'GET', path)).status).toBe(404);
    });
  });

  describe('is synthesized', () => {
    const ofType = (stack: string, type: string): [string, Resource][] =>
      Object.entries(deployed.resources(stack)).filter(([, { Type }]) => Type === type);
    /** The ids of the policies that allow an action. */
    const allowing = (action: string) =>
      ['api', 'background'].flatMap((stack) =>
        ofType(stack, 'AWS::IAM::Policy')
          .filter(([, { Properties }]) =>
            JSON.stringify(Properties['PolicyDocument']).includes(`"${action}"`),
          )
          .map(([id]) => id.replace(/RoleDefaultPolicy.*$/, '')),
      );

    it('so that only what resolves and what rotates may unwrap data keys', () => {
      expect(allowing('kms:Decrypt').sort()).toEqual(['resolve', 'resolveconfig', 'tendsecrets']);
    });

    it('so that who writes may generate data keys, and who makes keys and tokens may sign', () => {
      const having = (grant: Grant) =>
        routes.filter(({ grants }) => grants.includes(grant)).map(({ name }) => name.replaceAll('-', ''));
      const sealing = ['tendsecrets', ...having('generate-data-key')].sort();
      expect(allowing('kms:GenerateDataKey').sort()).toEqual(sealing);
      // The recovery key: to encrypt, and nothing else.
      expect(allowing('kms:Encrypt').sort()).toEqual(sealing);
      expect(allowing('kms:Sign').sort()).toEqual(['checkpointaudit', ...having('sign')].sort());
    });

    it('so that no role has every action, or every resource but the tracer’s', () => {
      for (const stack of ['api', 'background'])
        for (const [id, { Properties }] of ofType(stack, 'AWS::IAM::Policy')) {
          const { Statement } = z.object({ Statement: z.array(json) }).parse(Properties['PolicyDocument']);
          for (const { Action, Resource: resource } of Statement) {
            expect(JSON.stringify(Action), id).not.toContain('*');
            if (resource === '*')
              expect(JSON.stringify(Action), id).toMatch(/^\["xray:[^"]+","xray:[^"]+"\]$/);
          }
        }
    });

    it('with what the emulator drops: expiry, recovery, encryption, a stream that loses nothing', () => {
      const [table] = ofType('storage', 'AWS::DynamoDB::Table');
      expect(table?.[1].Properties).toMatchObject({
        TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
        StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
        BillingMode: 'PAY_PER_REQUEST',
      });
      const [mapping] = ofType('background', 'AWS::Lambda::EventSourceMapping');
      expect(mapping?.[1].Properties).toMatchObject({
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        DestinationConfig: { OnFailure: {} },
      });
      const [bucket] = ofType('storage', 'AWS::S3::Bucket');
      expect(bucket?.[1].Properties).toMatchObject({ ObjectLockEnabled: true });
    });
  });
});
