import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Duration, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { Grant } from './grants.ts';
import { leaveAsIs } from './reasons.ts';
import {
  type FunctionContext,
  type FunctionLimits,
  SecretsFunction,
  schedulerRole,
} from './secrets-function.ts';

export interface BackgroundProps extends StackProps, FunctionContext {}

const schedules: readonly { entry: string; grants: readonly Grant[]; every: Duration }[] = [
  { entry: 'purge-deleted', grants: ['read', 'write', 'change-secrets'], every: Duration.hours(1) },
  {
    entry: 'tend-secrets',
    // A rotator is given the value that it replaces, so this one opens what has a rotator.
    grants: ['read', 'write', 'generate-data-key', 'fingerprint', 'decrypt'],
    every: Duration.minutes(1),
  },
  {
    entry: 'checkpoint-audit',
    grants: ['read', 'sign', 'public-key', 'read-checkpoints', 'write-checkpoints'],
    every: Duration.minutes(1),
  },
  {
    entry: 'expire-audit',
    grants: ['read', 'write', 'append-audit', 'public-key', 'read-checkpoints'],
    every: Duration.hours(1),
  },
  {
    entry: 'sweep-outbox',
    grants: ['read', 'write', 'append-audit', 'change-secrets'],
    every: Duration.hours(6),
  },
  {
    entry: 'verify-organizations',
    grants: ['read', 'public-key', 'read-checkpoints'],
    every: Duration.days(1),
  },
];

const RECORDER = 'record-audit';
/** Files below `functions/` that this stack runs, with what they may. */
export const backgroundFunctions: ReadonlyMap<string, readonly Grant[]> = new Map([
  [RECORDER, ['read', 'write', 'append-audit', 'change-secrets']],
  ...schedules.map(({ entry, grants }) => [entry, grants] as const),
]);

/** What runs without being asked: the recorder on the table's stream, and the schedules. */
export class BackgroundStack extends Stack {
  readonly recorder: SecretsFunction;
  /** Where the stream's batches go that could not be recorded, and runs of schedules that failed. */
  readonly failures: Queue;
  /** Every function, by its file below `functions/`. */
  readonly functions = new Map<string, SecretsFunction>();
  readonly #context: FunctionContext;

  constructor(scope: Construct, id: string, { storage, folders, settings, ...props }: BackgroundProps) {
    super(scope, id, props);
    this.#context = { storage, folders, settings };
    this.failures = new Queue(this, 'Failures', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    leaveAsIs(this.failures, 'failureQueue');
    this.recorder = this.#function(RECORDER, { timeout: Duration.seconds(60) });
    this.#feedRecorder();
    for (const { entry, every } of schedules) {
      const handler = this.#function(entry, { timeout: Duration.minutes(15), concurrency: 1 });
      const target = new LambdaInvoke(handler, {
        deadLetterQueue: this.failures,
        role: schedulerRole(this, handler),
      });
      new Schedule(this, `${entry}Schedule`, { schedule: ScheduleExpression.rate(every), target });
    }
  }

  /** The stream hands over new events of the outbox, and nothing else of the table. */
  #feedRecorder(): void {
    const { storage } = this.#context;
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

  #function(entry: string, limits: FunctionLimits): SecretsFunction {
    const grants = backgroundFunctions.get(entry) ?? [];
    const made = new SecretsFunction(this, entry, this.#context, grants, limits);
    this.functions.set(entry, made);
    return made;
  }
}
