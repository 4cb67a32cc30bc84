import type { Context } from 'aws-lambda';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { call, jsonOf, logged, newKey, newOrganization, newRun, services } from '../testkit/api.ts';

// The resolve function invoked directly: a Lambda is not told who called it, so the payload proves itself, or the
// alias that IAM grants to the orchestrator alone does.

const { handler: invoke } = await import('../../functions/resolve.ts');
const FUNCTION = 'arn:aws:lambda:eu-central-1:111122223333:function:resolve';

let admin = '';
let runtime = '';
let runToken = '';

beforeAll(async () => {
  admin = await newOrganization('acme');
  await newOrganization('rival');
  runtime = await newKey(admin, { role: 'runtime' });
  await call('create-secret', {
    as: admin,
    body: { name: 'key', value: 'canary-value', environment: 'staging' },
  });
  await call('create-secret', { as: admin, body: { name: 'mine', value: 'v', scope: 'user', user: 'ada' } });
  const run = { pipeline_id: 'p1', environment: 'staging', user: 'ada', run_id: 'run-1' };
  runToken = (await newRun(runtime, run)).run_token;
});

const config = Object.freeze({ at: '{{secrets.key}}' });
const place = { org: 'acme', environment: 'staging', pipeline_id: 'p1', user: 'ada', run_id: 'run-2' };
const by = (arn: string): Context =>
  ({ awsRequestId: 'request-1', invokedFunctionArn: arn }) as unknown as Context;
const orchestrator = by(`${FUNCTION}:orchestrator`);

/** The status of a problem, to a payload of its own, since a resolve fills the config in place; 200 for an answer, which has none. */
async function statusOf(payload: unknown, context: Context): Promise<number> {
  const answer = await invoke(structuredClone(payload), context);
  return 'status' in answer ? answer.status : 200;
}

describe('the resolve function', () => {
  it.each([by(FUNCTION), by(`${FUNCTION}:live`), by(`${FUNCTION}:7`), orchestrator])(
    'answers whoever has a run token',
    async (context) => {
      const answer = await invoke({ run_token: runToken, config: { ...config } }, context);
      expect(answer).toMatchObject({ config: { at: 'canary-value' } });
    },
  );

  it('takes the word of the orchestrator for any run, and records it as such', async () => {
    expect(await invoke({ ...place, config: { ...config } }, orchestrator)).toMatchObject({
      config: { at: 'canary-value' },
    });
    const last = services.database.get<{ event: string }>(
      'SELECT event FROM outbox ORDER BY position DESC LIMIT 1',
    );
    const event: unknown = JSON.parse(last?.event ?? '{}');
    expect(event).toMatchObject({
      org: 'acme',
      action: 'access',
      run_id: 'run-2',
      pipeline_id: 'p1',
      user: 'ada',
    });
    expect(event).not.toHaveProperty('api_key_id');
  });

  it.each([
    { what: 'the function itself', arn: FUNCTION },
    { what: 'another alias', arn: `${FUNCTION}:live` },
    { what: 'a version', arn: `${FUNCTION}:7` },
    { what: 'an alias that only ends alike', arn: `${FUNCTION}:not-orchestrator` },
    {
      what: 'a function of that name',
      arn: 'arn:aws:lambda:eu-central-1:111122223333:function:orchestrator',
    },
  ])('takes no bare word by $what', async ({ arn }) => {
    expect(await statusOf({ ...place, config }, by(arn))).toBe(403);
  });

  it.each([
    { what: 'of another organization', payload: { ...place, org: 'rival', config }, status: 422 },
    { what: 'in another environment', payload: { ...place, environment: 'production', config }, status: 422 },
    {
      what: 'in an environment that there is not',
      payload: { ...place, environment: 'moon', config },
      status: 422,
    },
    { what: 'without an environment', payload: { org: 'acme', config }, status: 422 },
    { what: 'without an organization', payload: { environment: 'staging', config }, status: 422 },
    {
      what: 'without what it does not have',
      payload: { org: 'acme', environment: 'staging', config },
      status: 200,
    },
    {
      what: 'with nulls for what it does not have',
      payload: { ...place, pipeline_id: null, user: null, run_id: null, config },
      status: 200,
    },
    { what: 'with a run token beside it', payload: { ...place, run_token: 'fmr_x.y', config }, status: 422 },
    { what: 'with more than it takes', payload: { ...place, config, more: 'canary-more' }, status: 422 },
    { what: 'that is no object', payload: 'canary-text', status: 422 },
    { what: 'that is nothing', payload: null, status: 422 },
  ])('the orchestrator for a run $what: $status', async ({ payload, status }) => {
    expect(await statusOf(payload, orchestrator)).toBe(status);
  });

  it.each(['fmr_x.y', '', 'x'.repeat(5000), 'fmk_'])('refuses %s for a run token', async (run_token) => {
    const status = await statusOf({ run_token, config }, orchestrator);
    expect(status).toBe(run_token.length > 4096 ? 422 : 401);
  });

  it('an API key is no run token, and gives no more than itself', async () => {
    // It proves the key, not a run: without an environment nothing resolves.
    expect(await statusOf({ run_token: runtime, config }, by(FUNCTION))).toBe(422);
    expect(await statusOf({ run_token: admin, config }, by(FUNCTION))).toBe(403);
  });

  it('a run token cannot be stretched to another place', async () => {
    const payload = { run_token: runToken, config, environment: 'production' };
    expect(await statusOf(payload, by(FUNCTION))).toBe(422);
  });

  it('an ended run is refused', async () => {
    const { run_id, run_token } = await newRun(runtime, { pipeline_id: 'p1', environment: 'staging' });
    expect(await statusOf({ run_token, config }, by(FUNCTION))).toBe(200);
    await call('end-run', { as: runtime, params: { run_id } });
    expect(await statusOf({ run_token, config }, by(FUNCTION))).toBe(401);
  });

  describe('by its URL', () => {
    const event = (body: unknown, more: object = {}) => ({
      version: '2.0',
      headers: { 'content-type': 'application/json' },
      requestContext: { http: { method: 'POST', path: '/', sourceIp: '203.0.113.9' } },
      body: JSON.stringify(body),
      isBase64Encoded: false,
      ...more,
    });
    const asked = () => ({ run_token: runToken, config: { ...config } });
    const answerTo = async (sent: unknown) => {
      const answer = await invoke(sent, by(FUNCTION));
      const { statusCode, headers, body } = z
        .object({ statusCode: z.number(), headers: z.record(z.string(), z.string()), body: z.string() })
        .parse(answer);
      return { statusCode, headers, body: JSON.parse(body) as unknown };
    };

    it('answers HTTP to whoever has a run token, and records no address, which it could make up', async () => {
      const answer = await answerTo(event(asked()));
      expect(answer).toMatchObject({ statusCode: 200, body: { config: { at: 'canary-value' } } });
      expect(answer.headers).toMatchObject({
        'cache-control': 'no-store',
        'content-type': 'application/json',
      });
      const last = services.database.get<{ event: string }>(
        'SELECT event FROM outbox ORDER BY position DESC LIMIT 1',
      );
      expect(JSON.parse(last?.event ?? '{}')).toMatchObject({ action: 'access' });
      expect(last?.event).not.toContain('203.0.113.9');
    });

    it('takes a body that came as base64', async () => {
      const body = Buffer.from(JSON.stringify(asked())).toString('base64');
      expect((await answerTo(event(null, { body, isBase64Encoded: true }))).statusCode).toBe(200);
    });

    it.each([
      { what: 'a bare word', sent: event({ ...place, config }), status: 403 },
      { what: 'a token of nobody', sent: event({ run_token: 'fmr_x.y', config }), status: 401 },
      { what: 'no body', sent: event(null, { body: undefined }), status: 422 },
      { what: 'no JSON', sent: event(null, { body: 'canary{' }), status: 400 },
      { what: 'a form', sent: event(null, { headers: { 'content-type': 'text/plain' } }), status: 415 },
      { what: 'what only looks like an event', sent: { requestContext: {}, headers: {} }, status: 422 },
      { what: 'half an event', sent: { requestContext: null, headers: null }, status: 500 },
    ])('refuses $what with $status', async ({ sent, status }) => {
      const { statusCode, headers } = await answerTo(sent);
      expect([statusCode, headers['content-type']]).toEqual([status, 'application/problem+json']);
    });
  });

  it('says the same as POST /resolve', async () => {
    const direct = await invoke({ run_token: runToken, config: { at: '{{secrets.mine}}' } }, by(FUNCTION));
    const routed = await call('resolve-config', {
      as: runToken,
      body: { config: { at: '{{secrets.mine}}' } },
    });
    expect(direct).toEqual(jsonOf(routed));
  });

  it('logs no value and no token', () => {
    expect(/canary|fm[kr]_/.test(logged.join(''))).toBe(false);
  });
});
