import { expect, test } from 'vitest';
import { call, eventsOf, jsonOf, newKey, newOrganization, newRun } from '../testkit/api.ts';

test('a credential is told what it is and may, and that leaves no record', async () => {
  const admin = await newOrganization('acme');
  const asAdmin = await call('describe-caller', { as: admin });
  expect(jsonOf(asAdmin)).toMatchObject({ org: 'acme', role: 'admin', pipelines: null, environments: null });
  expect(jsonOf(asAdmin)['known_environments']).toEqual(['development', 'staging', 'production']);
  expect(jsonOf(asAdmin)['may']).toContain('manage_api_keys');
  expect(eventsOf(asAdmin)).toEqual([]);

  const runtime = await newKey(admin, { name: 'orchestrator', role: 'runtime', pipelines: ['p1'] });
  expect(jsonOf(await call('describe-caller', { as: runtime }))).toMatchObject({
    subject: 'orchestrator',
    role: 'runtime',
    pipelines: ['p1'],
    environments: null,
  });

  const run = await newRun(runtime, { pipeline_id: 'p1', environment: 'staging', user: 'ada' });
  expect(jsonOf(await call('describe-caller', { as: run.run_token }))).toMatchObject({
    subject: 'ada',
    role: null,
    pipelines: ['p1'],
    environments: ['staging'],
  });
  expect((await call('describe-caller')).status).toBe(401);
});
