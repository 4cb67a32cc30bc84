import { Match, Template } from 'aws-cdk-lib/assertions';
import { App, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, it } from 'vitest';
import { consoleHeaders } from '../../../console/headers.ts';
import { ConsoleStack } from '../../../infra/aws/console.ts';
import { parseSettings } from '../../../infra/aws/settings.ts';

// A template is checked by the CDK's own rules as it is made, which takes a busy machine its time.
describe('the console on AWS', () => {
  const named = {
    consoleDomainName: 'console.example.com',
    consoleCertificateArn: 'arn:aws:acm:us-east-1:111111111111:certificate/one',
  };
  const stackOf = (given: Readonly<Record<string, unknown>>, app = new App()) =>
    new ConsoleStack(app, 'console', { apiHost: 'api.example.com', settings: parseSettings(given) });
  let template: Template;
  beforeAll(() => {
    template = Template.fromStack(stackOf({}));
  }, 60_000);

  it('has a name of its own when it is given one with a certificate that CloudFront takes', () => {
    const own = Template.fromStack(stackOf(named));
    own.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        Aliases: ['console.example.com'],
        ViewerCertificate: {
          AcmCertificateArn: named.consoleCertificateArn,
          MinimumProtocolVersion: 'TLSv1.2_2021',
        },
      },
    });
    own.hasOutput('ConsoleUrl', { Value: 'https://console.example.com' });
    const elsewhere = 'arn:aws:acm:eu-west-1:111111111111:certificate/one';
    expect(() => parseSettings({ ...named, consoleCertificateArn: elsewhere })).toThrow('us-east-1');
    expect(() => parseSettings({ consoleDomainName: 'console.example.com' })).toThrow('go together');
  }, 60_000);

  it('has nothing that cdk-nag finds and nobody has given a reason for', () => {
    for (const given of [{}, named]) {
      const app = new App();
      stackOf(given, app);
      Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
      expect(() => app.synth()).not.toThrow();
    }
  }, 120_000);

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
