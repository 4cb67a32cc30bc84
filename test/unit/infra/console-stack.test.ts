import { Match, Template } from 'aws-cdk-lib/assertions';
import { App } from 'aws-cdk-lib/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { consoleHeaders } from '../../../console/headers.ts';
import { ConsoleStack } from '../../../infra/aws/console.ts';

// A template is checked by the CDK's own rules as it is made, which takes a busy machine its time.
describe('the console on AWS', () => {
  let template: Template;
  beforeAll(() => {
    const app = new App();
    template = Template.fromStack(new ConsoleStack(app, 'console', { apiHost: 'api.example.com' }));
  }, 60_000);

  it('lies in a bucket that only its distribution reads', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    template.hasResourceProperties('AWS::CloudFront::OriginAccessControl', {
      OriginAccessControlConfig: Match.objectLike({ SigningBehavior: 'always', SigningProtocol: 'sigv4' }),
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 's3:GetObject',
            Principal: { Service: 'cloudfront.amazonaws.com' },
            Condition: { StringEquals: Match.anyValue() },
          }),
        ]),
      },
    });
  });

  it('has every header of the embedded host', () => {
    const [policy] = Object.values(template.findResources('AWS::CloudFront::ResponseHeadersPolicy'));
    const text = JSON.stringify(policy);
    expect(text).toContain(consoleHeaders['content-security-policy']);
    expect(text).toContain('"ContentTypeOptions"');
    expect(text).toContain('"no-referrer"');
    expect(text).toContain('"AccessControlMaxAgeSec":31536000');
    for (const name of [
      'cross-origin-opener-policy',
      'cross-origin-resource-policy',
      'permissions-policy',
    ] as const)
      expect(text).toContain(JSON.stringify(consoleHeaders[name]).slice(1, -1));
  });

  it('has the API beside it, encrypted and never cached', () => {
    const [distribution] = Object.values(template.findResources('AWS::CloudFront::Distribution'));
    const { CacheBehaviors, DefaultCacheBehavior } = Object(distribution).Properties.DistributionConfig;
    expect(CacheBehaviors.map(({ PathPattern }: { PathPattern: string }) => PathPattern)).toEqual([
      '/api/*',
      '/health',
    ]);
    for (const behavior of CacheBehaviors) {
      expect(behavior.ViewerProtocolPolicy).toBe('https-only');
      // The managed policy CachingDisabled.
      expect(behavior.CachePolicyId).toBe('4135ea2d-6df8-44a3-9df3-4b5a84be39ad');
      expect(behavior.TargetOriginId).not.toBe(DefaultCacheBehavior.TargetOriginId);
    }
    expect(DefaultCacheBehavior.ViewerProtocolPolicy).toBe('redirect-to-https');
  });
});
