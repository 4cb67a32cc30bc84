import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Duration, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type Grant, SecretsFunction } from './secrets-function.ts';
import type { StorageStack } from './storage.ts';

export interface BackgroundProps extends StackProps {
  readonly storage: StorageStack;
  readonly folders: ReadonlyMap<string, string>;
  readonly environments: readonly string[];
}

const schedules: readonly { entry: string; grants: readonly Grant[]; every: Duration }[] = [
  { entry: 'purge-deleted', grants: ['read', 'write'], every: Duration.hours(1) },
  {
    entry: 'checkpoint-audit',
    grants: ['read', 'sign', 'public-key', 'read-checkpoints', 'write-checkpoints'],
    every: Duration.minutes(1),
  },
  {
    entry: 'expire-audit',
    grants: ['read', 'write', 'public-key', 'read-checkpoints'],
    every: Duration.hours(1),
  },
  {
    entry: 'verify-organizations',
    grants: ['read', 'public-key', 'read-checkpoints'],
    every: Duration.days(1),
  },
];

/** Files below `functions/` that this stack runs. */
export const backgroundEntries: readonly string[] = ['record-audit', ...schedules.map(({ entry }) => entry)];

/** What runs without being asked: the recorder on the table's stream, and the schedules. */
export class BackgroundStack extends Stack {
  readonly recorder: SecretsFunction;
  /** Where the stream's batches go that could not be recorded, and runs of schedules that failed. */
  readonly failures: Queue;
  readonly #props: BackgroundProps;

  constructor(scope: Construct, id: string, props: BackgroundProps) {
    super(scope, id, props);
    this.#props = props;
    this.failures = new Queue(this, 'Failures', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.recorder = this.#function('record-audit', ['read', 'write'], Duration.seconds(60));
    this.#feedRecorder();
    for (const { entry, grants, every } of schedules) {
      const target = new LambdaInvoke(this.#function(entry, grants, Duration.minutes(15)), {
        deadLetterQueue: this.failures,
      });
      new Schedule(this, `${entry}Schedule`, { schedule: ScheduleExpression.rate(every), target });
    }
  }

  /** The stream hands over new events of the outbox, and nothing else of the table. */
  #feedRecorder(): void {
    const { storage } = this.#props;
    const stream = storage.table.tableStreamArn ?? '';
    const actions = ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'];
    this.recorder.addToRolePolicy(
      new PolicyStatement({ effect: Effect.ALLOW, actions, resources: [stream] }),
    );
    this.failures.grantSendMessages(this.recorder);
    const filter = { eventName: ['INSERT'], dynamodb: { NewImage: { event: { S: [{ exists: true }] } } } };
    const mapping = new CfnEventSourceMapping(this, 'Outbox', {
      functionName: this.recorder.functionName,
      eventSourceArn: stream,
      startingPosition: 'TRIM_HORIZON',
      batchSize: 100,
      maximumBatchingWindowInSeconds: 1,
      filterCriteria: { filters: [{ pattern: JSON.stringify(filter) }] },
      functionResponseTypes: ['ReportBatchItemFailures'],
      bisectBatchOnFunctionError: true,
      maximumRecordAgeInSeconds: Duration.hours(12).toSeconds(),
      maximumRetryAttempts: 1000,
      destinationConfig: { onFailure: { destination: this.failures.queueArn } },
    });
    mapping.node.addDependency(this.recorder);
  }

  #function(entry: string, grants: readonly Grant[], timeout: Duration): SecretsFunction {
    const { storage, folders, environments } = this.#props;
    const folder = folders.get(entry);
    if (folder === undefined) throw new TypeError(`${entry} is not bundled`);
    return new SecretsFunction(this, entry, { storage, folder, grants, environments, timeout });
  }
}
