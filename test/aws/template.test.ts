import type { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { routes } from '../../functions/routes.ts';
import type { Grant } from '../../shared/contract/route.ts';
import { templatesOf } from './template-reader.ts';

const json = z.record(z.string(), z.unknown());

let templates: ReadonlyMap<string, Template>;
beforeAll(() => {
  templates = templatesOf({ stage: 'test' });
}, 300_000);

describe('a deployment is synthesized', () => {
  const ofType = (stack: string, type: string) =>
    Object.entries(templates.get(stack)?.findResources(type) ?? {});
  /** The ids of the policies that allow an action. */
  const allowing = (action: string) =>
    ['api', 'background'].flatMap((stack) =>
      ofType(stack, 'AWS::IAM::Policy')
        .filter(([, { Properties }]) => JSON.stringify(Properties['PolicyDocument']).includes(`"${action}"`))
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
          if (resource === '*') expect(JSON.stringify(Action), id).toMatch(/^\["xray:[^"]+","xray:[^"]+"\]$/);
        }
      }
  });

  it('with what the emulator drops: expiry, recovery, encryption, a stream that loses nothing', () => {
    const [table] = ofType('storage', 'AWS::DynamoDB::Table');
    expect(table?.[1]['Properties']).toMatchObject({
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
      BillingMode: 'PAY_PER_REQUEST',
    });
    const [mapping] = ofType('background', 'AWS::Lambda::EventSourceMapping');
    expect(mapping?.[1]['Properties']).toMatchObject({
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: {} },
    });
    const [bucket] = ofType('storage', 'AWS::S3::Bucket');
    expect(bucket?.[1]['Properties']).toMatchObject({ ObjectLockEnabled: true });
  });
});
