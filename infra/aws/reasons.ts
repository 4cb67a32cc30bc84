import { Validations } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';

/** Findings of cdk-nag that are left as they are, each with why. */
const findings = {
  tracing: {
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'X-Ray has no resources to name: PutTraceSegments and PutTelemetryRecords take only *.',
  },
  publicRoute: {
    id: 'AwsSolutions-APIG4',
    reason:
      'Health and the OpenAPI document are for anybody; they hold nothing, are throttled, and run few at once.',
  },
  noAccessLog: {
    id: 'AwsSolutions-S1',
    reason:
      'Checkpoints are signed and no secret, and nothing of theirs can be changed or deleted: a second locked bucket for a log of that would tell less than CloudTrail.',
  },
  failureQueue: {
    id: 'AwsSolutions-SQS3',
    reason:
      'This is the dead letter queue of the stream and the schedules, which cdk-nag knows only for queues.',
  },
  backupPolicy: {
    id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]',
    reason:
      'AWS Backup’s own policy follows what the service needs; a copy of it would break backups silently.',
  },
} as const;

/** Acknowledges a finding on a construct and what is below it. */
export function leaveAsIs(construct: IConstruct, name: keyof typeof findings): void {
  Validations.of(construct).acknowledge(findings[name]);
}

/** Acknowledges that a role may use everything below one resource. @param resource as cdk-nag names it */
export function leaveWildcard(construct: IConstruct, resource: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
}
